package cli

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/parcel"
	"github.com/sre-go/sre/value"
)

func (a *app) importAgents() *cobra.Command {
	var replace bool
	c := &cobra.Command{
		Use:   "import FILE.zip DIR",
		Short: "Unpack agents that sre export has packed",
		Long: "Unpacks the agents of a zip into a folder, after all of it was checked, and says which keys of the vault they want that\n" +
			"are not there. Files that are there are not replaced, unless --replace is given. Look at an agent with `sre describe`\n" +
			"before you run it.",
		Example: "  sre import agents.zip agents/",
		Args:    arguments(2, 2, "a zip and a folder"),
		RunE: func(c *cobra.Command, args []string) error {
			return a.runImport(c.Context(), args[0], args[1], replace)
		},
	}
	c.Flags().BoolVar(&replace, "replace", false, "replace files that are there")
	return c
}

func (a *app) runImport(ctx context.Context, file, dir string, replace bool) (err error) {
	data, err := disk.ReadFile(a.path(file), parcel.MaxBytes)
	if err != nil {
		return err
	}
	m, entries, err := parcel.Unpack(data)
	if err != nil {
		return err
	}
	if m.Kind != agentParcel {
		return fault.Newf(fault.Invalid, "%s holds no agents but %q", file, m.Kind)
	}
	for i, e := range entries {
		name, ok := strings.CutPrefix(e.Name, agentPlace)
		if !ok || strings.Contains(name, "/") || !strings.HasSuffix(name, ".smyth") {
			return fault.Newf(fault.Invalid, "%s holds %q, which is no agent file", file, e.Name)
		}
		entries[i].Name = name
	}
	if err := a.unpack(dir, entries, replace); err != nil {
		return err
	}
	rt, err := a.start(ctx)
	if err != nil {
		return err
	}
	defer a.stop(rt, &err)
	return a.showImport(ctx, rt, dir, entries)
}

// unpack writes files into a folder, all of them or, when one is there, none.
func (a *app) unpack(dir string, entries []parcel.Entry, replace bool) (err error) {
	folder, err := disk.Create(a.path(dir))
	if err != nil {
		return err
	}
	defer func() {
		folder.Tidy()
		if closing := folder.Close(); err == nil {
			err = closing
		}
	}()
	for _, e := range entries {
		if _, err := folder.Stat(e.Name); err == nil && !replace {
			return fault.Hint(fault.Newf(fault.Conflict, "%s is there already: nothing was written", filepath.Join(dir, e.Name)), "give --replace, or another folder")
		} else if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	for _, e := range entries {
		if err := folder.WriteAtomic(e.Name, e.Data); err != nil {
			return err
		}
	}
	return nil
}

// showImport says what came, whether it can be loaded, and what it wants of the vault.
func (a *app) showImport(ctx context.Context, rt *sre.Runtime, dir string, entries []parcel.Entry) error {
	var lines, missing []string
	list := make([]value.Value, len(entries))
	for i, e := range entries {
		path := filepath.Join(dir, e.Name)
		lines = append(lines, "unpacked "+path)
		problem := ""
		agent, err := rt.LoadFile(ctx, a.path(path))
		if err != nil {
			problem = err.Error()
			lines = append(lines, "  it cannot be loaded: "+problem)
		} else {
			h := agent.Services().Vault()
			for _, key := range agent.Document().Sheet().Keys {
				if ok, err := h.Exists(ctx, key); (err != nil || !ok) && !slices.Contains(missing, key) {
					missing = append(missing, key)
				}
			}
		}
		list[i] = value.Obj(value.M("file", value.Of(path)), value.M("problem", value.Of(problem)))
	}
	if a.json {
		return a.show(value.Obj(value.M("agents", value.OfItems(list)), value.M("missingKeys", value.Strings(missing))))
	}
	for _, key := range missing {
		lines = append(lines, "the vault has no key "+key+": store it with `sre vault set "+key+"`")
	}
	return a.print(lines...)
}
