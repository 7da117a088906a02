package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/audit"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

func (a *app) audit() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Look at what was refused and which secrets were handed out, and check that nothing of it was changed",
		Long: "Looks at the audit: a record of every refusal and of every secret that was handed out. Each record holds the hash of\n" +
			"the one before; `sre audit verify` names the first that was changed, moved or removed.",
		Example: "  sre audit verify\n  sre audit list --denied --since 24h\n  sre audit tail --follow",
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			var names []string
			for _, sub := range c.Commands() {
				names = append(names, sub.Name())
			}
			return usageError{fault.New(fault.Invalid, schema.UnknownName("command", args[0], names))}
		},
	}
	c.AddCommand(a.auditVerify(), a.auditList(), a.auditTail())
	return c
}

// withAudit does something with the audit of the machine, without a runtime: the audit is for when something is wrong.
func (a *app) withAudit(do func(r *audit.Reader, folder string) error) (err error) {
	opts := []sre.Option{sre.WithMachine(a.Work, a.Home, a.Getenv)}
	if a.dir != "" {
		opts = append(opts, sre.WithDir(a.dir))
	}
	folder, err := sre.AuditFolder(a.set, opts...)
	if err != nil {
		return err
	}
	r, err := audit.Open(folder)
	if folder == "" || fault.Is(err, fault.NotFound) {
		err := fault.Newf(fault.NotFound, "nothing was recorded yet")
		return &fault.Error{Op: "audit.open", Resource: folder, Kind: fault.NotFound, Err: err, Hint: "the audit begins with the first refusal or secret"}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return do(r, folder)
}

func (a *app) auditVerify() *cobra.Command {
	return &cobra.Command{
		Use:     "verify",
		Short:   "Check that every record is there and as it was written",
		Long:    "Walks the whole chain. The first record that was changed, moved, repeated or removed is named, and the exit code is 3.",
		Example: "  sre audit verify --json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			return a.withAudit(func(r *audit.Reader, folder string) error {
				rep, err := r.Verify()
				if err != nil {
					return err
				}
				if err := a.showReport(rep); err != nil || rep.Broken == nil {
					return err
				}
				return &fault.Error{Op: "audit.verify", Resource: folder, Kind: fault.Invalid, Code: "AUDIT_BROKEN", Err: rep.Broken}
			})
		},
	}
}

func (a *app) showReport(rep audit.Report) error {
	if a.json {
		b := value.NewBuilder(8).Set("ok", value.OfBool(rep.Broken == nil)).Set("records", value.OfInt(rep.Records)).Set("files", value.OfInt(rep.Files))
		b.Set("first", value.OfInt(int(rep.First))).Set("last", value.OfInt(int(rep.Last))).Set("head", value.Of(rep.Head))
		notes := make([]value.Value, len(rep.Notes))
		for i, n := range rep.Notes {
			notes[i] = entryValue(n)
		}
		b.Set("notes", value.OfItems(notes))
		if x := rep.Broken; x != nil {
			b.Set("broken", value.Obj(value.M("file", value.Of(x.File)), value.M("line", value.OfInt(x.Line)), value.M("why", value.Of(x.Why))))
		}
		return a.show(b.Build())
	}
	lines := []string{fmt.Sprintf("records as they were written: %d, in files: %d", rep.Records, rep.Files)}
	if rep.Head != "" {
		lines = append(lines, fmt.Sprintf("the last of them is %d, hash %s", rep.Last, rep.Head))
	}
	for _, n := range rep.Notes {
		lines = append(lines, "note: "+entryLine(n))
	}
	return a.print(lines...)
}

// auditFilter says which records are shown.
type auditFilter struct {
	who, operation  string
	allowed, denied bool
	since           string
	after           time.Time
}

func (f *auditFilter) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.who, "who", "", "of this candidate only, such as agent:hello")
	c.Flags().StringVar(&f.operation, "operation", "", "of this operation only, such as vault.get, or vault for all of its operations")
	c.Flags().BoolVar(&f.allowed, "allowed", false, "only what was allowed")
	c.Flags().BoolVar(&f.denied, "denied", false, "only what was refused")
	c.Flags().StringVar(&f.since, "since", "", "only from then on: a time such as 2026-01-02T15:04:05Z, a day, or how long ago, such as 24h")
	c.MarkFlagsMutuallyExclusive("allowed", "denied")
}

// read makes sense of the flags.
func (f *auditFilter) read() error {
	if f.since == "" {
		return nil
	}
	if ago, err := time.ParseDuration(f.since); err == nil && ago >= 0 {
		f.after = effect.System{}.Now().Add(-ago)
		return nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(form, f.since); err == nil {
			f.after = at
			return nil
		}
	}
	err := fault.Newf(fault.Invalid, "--since %s is neither a time nor a span of time", f.since)
	return usageError{fault.Hint(err, "write 24h, 2026-01-02 or 2026-01-02T15:04:05Z")}
}

func (f *auditFilter) shows(e audit.Entry) bool {
	switch {
	case f.who != "" && e.Who != f.who, f.allowed && !e.Allowed, f.denied && e.Allowed, e.Time.Before(f.after):
		return false
	}
	return f.operation == "" || e.Operation == f.operation || strings.HasPrefix(e.Operation, f.operation+".")
}

func (a *app) auditList() *cobra.Command {
	var f auditFilter
	c := &cobra.Command{
		Use:     "list",
		Short:   "List records, the oldest first",
		Example: "  sre audit list --who agent:hello --operation vault --since 24h",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			if err := f.read(); err != nil {
				return err
			}
			return a.withAudit(func(r *audit.Reader, _ string) error {
				out := a.newEntries()
				for e, err := range r.Entries(0) {
					if err != nil {
						return errors.Join(err, out.end())
					}
					if !f.shows(e) {
						continue
					}
					if err := out.add(e); err != nil {
						return err
					}
				}
				return out.end()
			})
		},
	}
	f.flags(c)
	return c
}

func (a *app) auditTail() *cobra.Command {
	var (
		f      auditFilter
		count  int
		follow bool
	)
	c := &cobra.Command{
		Use:     "tail",
		Short:   "Show the last records",
		Long:    "Shows the last records. With --follow it goes on with those that come, until it is interrupted; with --json each is then\na line of its own.",
		Example: "  sre audit tail -n 20 --denied --follow",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.read(); err != nil {
				return err
			}
			if count < 0 {
				return usageError{fault.Newf(fault.Invalid, "-n is a number of records, not %d", count)}
			}
			return a.withAudit(func(r *audit.Reader, _ string) error { return a.runTail(c.Context(), r, f, count, follow) })
		},
	}
	f.flags(c)
	c.Flags().IntVarP(&count, "count", "n", 10, "how many records")
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with the records that come")
	return c
}

// followPause is how long it takes until a new record is shown.
const followPause = 500 * time.Millisecond

func (a *app) runTail(ctx context.Context, r *audit.Reader, f auditFilter, count int, follow bool) error {
	var last []audit.Entry
	seen := uint64(0)
	collect := func(most int) error {
		last = last[:0]
		for e, err := range r.Entries(seen) {
			if err != nil {
				return err
			}
			seen = e.Seq
			if !f.shows(e) {
				continue
			}
			if last = append(last, e); most >= 0 && len(last) > most {
				last = append(last[:0], last[1:]...)
			}
		}
		return nil
	}
	if err := collect(count); err != nil {
		return err
	}
	out := a.newEntries()
	out.lines = follow
	for {
		for _, e := range last {
			if err := out.add(e); err != nil {
				return err
			}
		}
		if !follow {
			return out.end()
		}
		if (effect.System{}).Sleep(ctx, followPause) != nil {
			return nil // it was interrupted, as it ends
		}
		if err := collect(-1); err != nil {
			return err
		}
	}
}

// entryPrinter prints records as they come: as lines for people, or as the items of one JSON array.
type entryPrinter struct {
	app   *app
	lines bool // JSON: each on a line of its own
	count int
}

func (a *app) newEntries() *entryPrinter { return &entryPrinter{app: a} }

func (p *entryPrinter) add(e audit.Entry) error {
	p.count++
	text := entryLine(e) + "\n"
	if p.app.json {
		text = entryValue(e).JSON()
		switch {
		case p.lines:
			text += "\n"
		case p.count == 1:
			text = "[" + text
		default:
			text = "," + text
		}
	}
	_, err := io.WriteString(p.app.Out, text)
	return err
}

func (p *entryPrinter) end() error {
	if !p.app.json || p.lines {
		return nil
	}
	text := "]\n"
	if p.count == 0 {
		text = "[]\n"
	}
	_, err := io.WriteString(p.app.Out, text)
	return err
}

// entryLine is a record for people. Texts of callers cannot break the line.
func entryLine(e audit.Entry) string {
	verdict := "allowed"
	if !e.Allowed {
		verdict = "refused"
	}
	who := e.Who
	if who == "" {
		who = "-"
	}
	line := fmt.Sprintf("%d %s %s %s %s %q", e.Seq, e.Time.Local().Format(time.DateTime), verdict, who, e.Operation, e.Resource)
	if e.Rule != "" {
		line += fmt.Sprintf(" rule=%q", e.Rule)
	}
	if e.Run != "" {
		line += fmt.Sprintf(" run=%q", e.Run)
	}
	return line
}

func entryValue(e audit.Entry) value.Value {
	return value.Obj(
		value.M("seq", value.OfInt(int(e.Seq))), value.M("time", value.Of(e.Time.Format(time.RFC3339Nano))), value.M("who", value.Of(e.Who)), value.M("team", value.Of(e.Team)),
		value.M("operation", value.Of(e.Operation)), value.M("level", value.Of(e.Level)), value.M("resource", value.Of(e.Resource)), value.M("rule", value.Of(e.Rule)),
		value.M("allowed", value.OfBool(e.Allowed)), value.M("run", value.Of(e.Run)), value.M("hash", value.Of(e.Hash)),
	)
}
