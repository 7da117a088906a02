package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/parcel"
	"github.com/sre-go/sre/internal/scrub"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/value"
)

// Kinds of parcels, and where the agents lie in one.
const (
	agentParcel   = "agents"
	supportParcel = "support"
	agentPlace    = "agents/"
)

func (a *app) export() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "export PATH ... --out FILE.zip",
		Short: "Pack agents for another machine, without secrets",
		Long: "Packs agent files, and those of folders, into a zip for `sre import`. Secrets stay here: where one of the vault stands in\n" +
			"a file its reference {{KEY(NAME)}} is packed instead, and what looks like a secret is taken out and named with its place.\n" +
			"References, names and addresses stay as they are. The bytes are looked at once more before they are written; with a\n" +
			"secret in them nothing is.",
		Example:           "  sre export agents/ --out agents.zip\n  sre export hello.smyth --out hello.zip --json",
		Args:              arguments(1, -1, "agent files or folders"),
		ValidArgsFunction: smythFiles,
		RunE: func(c *cobra.Command, args []string) error {
			if out == "" {
				return usageError{fault.Newf(fault.Invalid, "say where to write: --out FILE.zip")}
			}
			return a.runExport(c.Context(), args, out)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "the zip to write")
	return c
}

// packed is one agent file on its way into a parcel.
type packed struct {
	file    string // as people know it
	entry   parcel.Entry
	removed []scrub.Removed
	calls   []string // ids of agents
	id      string
}

func (a *app) runExport(ctx context.Context, paths []string, out string) (err error) {
	files, err := a.agentFiles(paths)
	if err != nil {
		return err
	}
	rt, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	var all []packed
	var known []scrub.Known
	for _, file := range files {
		p, of, err := a.pack(ctx, rt, file)
		if err != nil {
			return err
		}
		all, known = append(all, p), append(known, of...)
	}
	entries := make([]parcel.Entry, len(all))
	for i, p := range all {
		entries[i] = p.entry
	}
	if err := a.writeParcel(parcel.Manifest{Kind: agentParcel}, entries, scrub.New(known), out); err != nil {
		return err
	}
	return a.showExport(all, out)
}

// agentFiles are the files that paths name.
func (a *app) agentFiles(paths []string) ([]string, error) {
	var files []string
	for _, p := range paths {
		if !disk.IsFolder(a.path(p)) {
			files = append(files, p)
			continue
		}
		folder, err := disk.Open(a.path(p))
		if err != nil {
			return nil, err
		}
		names, _, err := folder.List("", "", 10_000)
		if closing := folder.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if strings.HasSuffix(name, ".smyth") && !strings.Contains(name, "/") {
				files = append(files, filepath.Join(p, name))
			}
		}
	}
	if len(files) == 0 {
		return nil, fault.Newf(fault.NotFound, "there is no agent file in %s", strings.Join(paths, ", "))
	}
	return files, nil
}

// pack reads an agent file and takes the secrets out of it, those of its team's vault too.
func (a *app) pack(ctx context.Context, rt *sre.Runtime, file string) (packed, []scrub.Known, error) {
	agent, err := rt.LoadFile(ctx, a.path(file))
	if err != nil {
		return packed{}, nil, err
	}
	text, err := disk.ReadFile(a.path(file), parcel.MaxBytes)
	if err != nil {
		return packed{}, nil, err
	}
	doc, err := value.Decode(text, value.DefaultLimits())
	if err != nil {
		return packed{}, nil, err
	}
	known, err := secretsOf(ctx, agent.Services().Vault())
	if err != nil {
		return packed{}, nil, err
	}
	clean, removed := scrub.New(known).Value(doc, a.templates(doc))
	p := packed{file: file, removed: removed, id: agent.ID(), calls: agent.Document().Sheet().Agents}
	p.entry = parcel.Entry{Name: agentPlace + filepath.Base(file), Data: []byte(clean.Indent("  ") + "\n")}
	return p, known, nil
}

// secretsOf returns what a vault holds. Each read stands in the audit.
func secretsOf(ctx context.Context, h *vault.Handle) ([]scrub.Known, error) {
	names, err := h.List(ctx)
	if err != nil {
		return nil, err
	}
	known := make([]scrub.Known, 0, len(names))
	for _, name := range names {
		v, err := h.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		known = append(known, scrub.Known{Name: name, Value: v})
	}
	return known, nil
}

// templates tells which texts of an agent file have keys of the vault put in: settings that are templates, and variables.
func (a *app) templates(doc value.Value) func(path []string) bool {
	inner := []string{}
	if !doc.Has("components") && doc.Get("data").Has("components") { // a wrapped file
		inner, doc = []string{"data"}, doc.Get("data")
	}
	types := doc.Get("components").Items()
	return func(path []string) bool {
		if len(path) <= len(inner) || !slices.Equal(path[:len(inner)], inner) {
			return false
		}
		path = path[len(inner):]
		if path[0] == "variables" {
			return true
		}
		n := 0
		if len(path) < 4 || path[0] != "components" || path[2] != "data" {
			return false
		}
		if _, err := fmt.Sscan(path[1], &n); err != nil || n < 0 || n >= len(types) {
			return false
		}
		for _, d := range a.set.Components {
			if name := types[n].GetString("name"); d.Name == name || d.Alias == name && name != "" {
				f := d.Settings.Field(path[3])
				return f != nil && f.Template
			}
		}
		return false
	}
}

// writeParcel packs entries, looks at all of it once more, and writes it.
func (a *app) writeParcel(m parcel.Manifest, entries []parcel.Entry, cleaner *scrub.Cleaner, out string) error {
	m.Made, m.By = effect.System{}.Now(), "sre "+a.Version
	data, err := parcel.Pack(m, entries)
	if err != nil {
		return err
	}
	_, written, err := parcel.Unpack(data) // what is written, not what was meant to be
	if err != nil {
		return err
	}
	for _, e := range written {
		for _, bytes := range [][]byte{[]byte(e.Name), e.Data} {
			if err := cleaner.Check(e.Name, bytes); err != nil {
				return err
			}
		}
	}
	folder, err := disk.Create(filepath.Dir(a.path(out)))
	if err != nil {
		return err
	}
	err = folder.WriteAtomic(filepath.Base(a.path(out)), data)
	folder.Tidy()
	if closing := folder.Close(); err == nil {
		err = closing
	}
	return err
}

// showExport says what was packed and what was taken out.
func (a *app) showExport(all []packed, out string) error {
	here := map[string]bool{}
	for _, p := range all {
		here[p.id] = true
	}
	var lines []string
	list := make([]value.Value, len(all))
	for i, p := range all {
		lines = append(lines, "packed "+p.file+" as "+p.entry.Name)
		taken := make([]value.Value, len(p.removed))
		for k, r := range p.removed {
			in := "a mark"
			if r.Ref {
				in = "its reference"
			}
			lines = append(lines, "  "+r.Pointer+": "+r.What+" was taken out, "+in+" stands there")
			taken[k] = value.Obj(value.M("pointer", value.Of(r.Pointer)), value.M("what", value.Of(r.What)), value.M("reference", value.OfBool(r.Ref)))
		}
		var missing []string
		for _, id := range p.calls {
			if !here[id] {
				missing = append(missing, id)
				lines = append(lines, "  it calls the agent "+id+", which is not packed")
			}
		}
		list[i] = value.Obj(value.M("file", value.Of(p.file)), value.M("name", value.Of(p.entry.Name)), value.M("removed", value.OfItems(taken)), value.M("missing", value.Strings(missing)))
	}
	if a.json {
		return a.show(value.Obj(value.M("out", value.Of(out)), value.M("agents", value.OfItems(list))))
	}
	return a.print(append(lines, "wrote "+out)...)
}
