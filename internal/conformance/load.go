package conformance

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// maxFile bounds one file of a case, in bytes.
const maxFile = 8 << 20

// Load reads all cases of a folder that is a "cases" folder or holds one. A folder without its own "_shared" takes
// fallback, which may be nil only when it has one. A case that cannot be read is an error: none is left out silently.
func Load(folder fs.FS, fallback *Shared) ([]*Case, error) {
	if info, err := fs.Stat(folder, "cases"); err == nil && info.IsDir() {
		if folder, err = fs.Sub(folder, "cases"); err != nil {
			return nil, fault.Newf(fault.Invalid, "open cases: %w", err)
		}
	}
	shared, err := loadShared(folder)
	if err != nil {
		return nil, err
	}
	if shared == nil {
		shared = fallback
	}
	if shared == nil {
		return nil, fault.Hint(fault.Newf(fault.NotFound, "cases without _shared"), "put _shared beside the areas")
	}
	files, err := fs.Glob(folder, "*/*/case.json")
	if err != nil {
		return nil, fault.Newf(fault.Internal, "list cases: %w", err)
	}
	if len(files) == 0 {
		return nil, fault.Hint(fault.Newf(fault.NotFound, "no cases"), "name a folder that holds area/case/case.json")
	}
	cases := make([]*Case, 0, len(files))
	for _, file := range files {
		c, err := loadCase(folder, path.Dir(file))
		if err != nil {
			return nil, fault.New(fault.KindOf(err), &fs.PathError{Op: "load case", Path: path.Dir(file), Err: err})
		}
		c.Shared = shared
		cases = append(cases, c)
	}
	return cases, nil
}

func loadCase(folder fs.FS, name string) (*Case, error) {
	c := &Case{Area: path.Dir(name), Name: name}
	text, err := readFile(folder, name+"/case.json")
	if err != nil {
		return nil, err
	}
	if err := parseCase(text, c); err != nil {
		return nil, err
	}
	if c.Agent, err = readFile(folder, name+"/agent.smyth"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if c.Kind == KindAgent && c.Agent == "" {
		return nil, fault.Newf(fault.NotFound, "case has no agent.smyth")
	}
	if c.Unclear {
		return c, nil
	}
	if c.Expected, err = readValue(folder, name+"/expected.json"); err != nil {
		return nil, err
	}
	if n := c.Expected.Get("responses").Len(); n != len(c.Requests) {
		return nil, fault.Newf(fault.Invalid, "%d requests but %d expected responses", len(c.Requests), n)
	}
	if n := c.Expected.Get("results").Len(); n != len(c.Ops) {
		return nil, fault.Newf(fault.Invalid, "%d ops but %d expected results", len(c.Ops), n)
	}
	return c, nil
}

// loadShared returns nil when the folder has no "_shared".
func loadShared(folder fs.FS) (*Shared, error) {
	if info, err := fs.Stat(folder, "_shared"); err != nil || !info.IsDir() {
		return nil, nil
	}
	var s Shared
	for name, to := range map[string]*value.Value{"vault": &s.Vault, "models": &s.Models, "account": &s.Accounts} {
		v, err := readValue(folder, "_shared/"+name+".json")
		if err != nil {
			return nil, err
		}
		*to = v
	}
	files, err := fs.Glob(folder, "_shared/agents/*.smyth")
	if err != nil {
		return nil, fault.Newf(fault.Internal, "list shared agents: %w", err)
	}
	for _, file := range files {
		agent, err := readValue(folder, file)
		if err != nil {
			return nil, err
		}
		s.Agents = append(s.Agents, agent)
	}
	return &s, nil
}

func readValue(folder fs.FS, name string) (value.Value, error) {
	text, err := readFile(folder, name)
	if err != nil {
		return value.Value{}, err
	}
	v, err := value.Parse(text)
	if err != nil {
		return value.Value{}, fault.New(fault.KindOf(err), &fs.PathError{Op: "parse", Path: name, Err: err})
	}
	return v, nil
}

func readFile(folder fs.FS, name string) (string, error) {
	f, err := folder.Open(name)
	if err != nil {
		kind := fault.Internal
		if errors.Is(err, fs.ErrNotExist) {
			kind = fault.NotFound
		}
		return "", fault.New(kind, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", fault.Newf(fault.Internal, "read %s: %w", name, err)
	}
	if len(data) > maxFile {
		return "", fault.Limitf("conformance_file", "%s is over %d bytes", name, maxFile)
	}
	return string(data), nil
}

// refuseUnknown checks the members of an object against a list with a blank around each name.
func refuseUnknown(what string, v value.Value, known string) error {
	if !v.IsObject() {
		return fault.Newf(fault.Invalid, "%s is a %s, not an object", what, v.Kind())
	}
	for _, m := range v.Members() {
		if !strings.Contains(known, " "+m.Key+" ") {
			return fault.Newf(fault.Invalid, "unknown member %q of %s", m.Key, what)
		}
	}
	return nil
}
