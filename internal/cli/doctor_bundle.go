package cli

import (
	"context"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/audit"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/parcel"
	"github.com/sre-go/sre/internal/scrub"
	"github.com/sre-go/sre/value"
)

// How much of what grows is packed: records of the audit, bytes of the newest log file.
const (
	supportRecords = 200
	supportLog     = 256 << 10
)

// support packs what who helps wants to see, without secrets: what the doctor found, how the runtime starts and with what
// configuration, the names of keys, the last of the audit and of the log.
func (a *app) support(ctx context.Context, rt *sre.Runtime, findings []row, out string) error {
	known, names, err := a.everySecret(ctx, rt)
	if err != nil {
		return err
	}
	cleaner := scrub.New(known)
	no := func([]string) bool { return false }
	var entries []parcel.Entry
	add := func(name string, v value.Value) {
		clean, _ := cleaner.Value(v, no)
		entries = append(entries, parcel.Entry{Name: name, Data: []byte(clean.Indent("  ") + "\n")})
	}
	add("doctor.json", rowsValue(findings))
	add("machine.json", a.machine(rt))
	add("configuration.json", configurationValue(rt))
	add("keys.json", names)
	records, err := a.lastRecords()
	if err != nil {
		return err
	}
	add("audit.json", records)
	if text := lastLog(rt); text != "" {
		clean, _ := cleaner.Text(text)
		entries = append(entries, parcel.Entry{Name: "log.jsonl", Data: []byte(clean)})
	}
	if err := a.writeParcel(parcel.Manifest{Kind: supportParcel}, entries, cleaner, out); err != nil {
		return err
	}
	if a.json {
		return nil // what the doctor found is the answer
	}
	return a.print("wrote " + out + ": look through it before you give it to somebody")
}

// everySecret returns the secrets of all teams, and the names of their keys by team.
func (a *app) everySecret(ctx context.Context, rt *sre.Runtime) (known []scrub.Known, names value.Value, err error) {
	teams := []string{"default"}
	if list, err := rt.Accounts().Teams(ctx); err == nil { // accounts without a list have the one team
		for _, t := range list {
			if !slices.Contains(teams, t) {
				teams = append(teams, t)
			}
		}
	}
	b := value.NewBuilder(len(teams))
	for _, id := range teams {
		team, err := access.Team(id)
		if err != nil {
			continue // no team of that name has a vault
		}
		of, err := secretsOf(ctx, rt.As(team).Vault())
		if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Unsupported) {
			return nil, value.Value{}, err
		}
		var keys []string
		for _, k := range of {
			keys = append(keys, k.Name)
		}
		known = append(known, of...)
		b.Set(id, value.Strings(keys))
	}
	return known, b.Build(), nil
}

func rowsValue(rows []row) value.Value {
	list := make([]value.Value, len(rows))
	for i, r := range rows {
		b := value.NewBuilder(len(r))
		for _, c := range r {
			b.Set(c.name, value.Of(c.text))
		}
		list[i] = b.Build()
	}
	return value.OfItems(list)
}

// machine is the program and what it runs on.
func (a *app) machine(rt *sre.Runtime) value.Value {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b := value.NewBuilder(8)
	b.Set("version", value.Of(a.Version)).Set("build", value.Of(a.BuildInfo)).Set("go", value.Of(runtime.Version()))
	b.Set("system", value.Of(runtime.GOOS+"/"+runtime.GOARCH)).Set("processors", value.OfInt(runtime.NumCPU()))
	b.Set("heapBytes", value.OfNumber(float64(m.HeapAlloc))).Set("boot", value.Of(short(rt.Boot().Took())))
	if info, ok := debug.ReadBuildInfo(); ok {
		var modules []string
		for _, d := range info.Deps {
			modules = append(modules, d.Path+" "+d.Version)
		}
		b.Set("modules", value.Strings(modules))
	}
	return b.Build()
}

// configurationValue is the configuration that counts, and where it comes from.
func configurationValue(rt *sre.Runtime) value.Value {
	c := rt.Config()
	names := make([]string, 0, len(c.Services))
	for name := range c.Services {
		names = append(names, name)
	}
	slices.Sort(names)
	services := value.NewBuilder(len(names))
	for _, name := range names {
		var list []value.Value
		for _, in := range c.Services[name] {
			list = append(list, value.Obj(value.M("connector", value.Of(in.Connector)), value.M("id", value.Of(in.ID)), value.M("default", value.OfBool(in.Default)),
				value.M("settings", in.Settings), value.M("from", value.Of(in.Origin))))
		}
		services.Set(name, value.OfItems(list))
	}
	out := value.NewBuilder(8)
	out.Set("services", services.Build()).Set("origins", value.Strings(c.Origins))
	for _, s := range []struct {
		name string
		v    value.Value
	}{{"server", c.Server.Value}, {"egress", c.Egress.Value}, {"audit", c.Audit.Value}, {"budgets", c.Budgets.Value}, {"mcp", c.MCP.Value}, {"compatibility", c.Compat.Value}} {
		if !s.v.IsAbsent() {
			out.Set(s.name, s.v)
		}
	}
	return out.Build()
}

// lastRecords are the last of the audit, none where there is no audit.
func (a *app) lastRecords() (value.Value, error) {
	var last []value.Value
	err := a.withAudit(func(r *audit.Reader, _ string) error {
		for e, err := range r.Entries(0) {
			if err != nil {
				return err
			}
			if last = append(last, entryValue(e)); len(last) > 2*supportRecords {
				last = slices.Clone(last[len(last)-supportRecords:])
			}
		}
		return nil
	})
	if fault.Is(err, fault.NotFound) {
		err = nil
	}
	return value.OfItems(last[max(len(last)-supportRecords, 0):]), err
}

// lastLog is the end of the newest log file, "" where no files are kept.
func lastLog(rt *sre.Runtime) string {
	dir := ""
	for _, in := range rt.Config().Services["Log"] {
		if in.Connector == "FileLog" {
			if dir = in.Settings.GetString("folder"); dir == "" {
				dir = "logs"
			}
		}
	}
	if dir == "" {
		return ""
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(rt.Dir(), dir)
	}
	folder, err := disk.Open(dir)
	if err != nil {
		return "" // nothing was logged yet
	}
	defer func() { _ = folder.Close() }() // it was only read
	names, _, err := folder.List("", "", 1000)
	newest := ""
	for _, name := range names {
		if err == nil && path.Ext(name) == ".jsonl" {
			newest = max(newest, name)
		}
	}
	text, err := folder.Read(newest, 64<<20)
	if newest == "" || err != nil {
		return ""
	}
	if len(text) > supportLog {
		text = text[len(text)-supportLog:]
		if _, rest, ok := strings.Cut(string(text), "\n"); ok {
			return rest // whole lines
		}
	}
	return string(text)
}
