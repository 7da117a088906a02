// Package jsonmodels reads the catalogue of models from JSON: a file, a folder of files, or the configuration itself.
//
// Files are looked at again after a second, so that a model can be added to a running system. A file or an entry that
// cannot be read is left out and reported, and the others are served.
package jsonmodels

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/subsystem/llm/models"
	"github.com/sre-go/sre/value"
)

// Settings of the connector.
type Settings struct {
	Models value.Value `json:"models" doc:"Where the models are: a file or a folder below the data folder or by an absolute path, or an object of entries by id. Without it the folder models is read if there is one."`
	Mode   string      `json:"mode" sre:"enum=merge|replace" default:"merge" doc:"Whether the entries are added to the built-in ones or replace them."`
}

// Definition is the connector as configuration names it.
var Definition = connector.Define(models.Kind, "JSONModelsProvider", "Models from JSON files.", open).
	WithDoc("A file is one entry, `{\"modelId\": …, \"provider\": …, …}`, or a map of entries by id. In a folder all files that end in `.json` " +
		"count, those of its folders included; names that begin with a dot do not. Files are read in the order of their names, and a later entry " +
		"takes the place of an earlier one of the same id. A change counts after a second at the latest.")

// defaultFolder is read when nothing is configured.
const defaultFolder = "models"

type provider struct {
	log  *slog.Logger
	base value.Value                     // entries that the catalogue begins with
	file *livefile.File[*models.Catalog] // nil when all is configured
	all  *models.Catalog                 // when all is configured
}

var (
	_ models.Connector  = (*provider)(nil)
	_ connector.Checker = (*provider)(nil)
)

func open(ctx context.Context, env connector.Env, s Settings) (models.Connector, error) {
	p := &provider{log: env.Log, base: models.Builtin()}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if s.Mode == "replace" {
		p.base = value.Value{}
	}
	path, isPath := s.Models.Str()
	switch {
	case s.Models.IsObject():
		p.all = p.catalog(s.Models)
		return p, nil
	case !isPath && !s.Models.IsNil(), isPath && path == "":
		return nil, fault.Newf(fault.Invalid, "models must be a path or an object of entries")
	case !isPath:
		path = defaultFolder
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(env.Dir, filepath.FromSlash(path))
	}
	src := source{path: path, optional: !isPath, limit: int64(limits.Default().JSONBytes)}
	p.file = livefile.New(env.Effects, src.read, p.parse)
	if err := p.Check(ctx); err != nil {
		return nil, fault.Hint(err, "make the file or folder that the setting models names")
	}
	return p, nil
}

// Catalog returns the models.
func (p *provider) Catalog(ctx context.Context) (*models.Catalog, error) {
	if p.file == nil {
		return p.all, nil
	}
	return p.file.Get(ctx)
}

// Check reports whether the models can be read.
func (p *provider) Check(ctx context.Context) error {
	_, err := p.Catalog(ctx)
	return err
}

// parse reads what [source.read] returned.
func (p *provider) parse(text []byte) (*models.Catalog, error) {
	var sources []value.Value
	for name, content := range pages(text) {
		v, err := value.Decode(content, value.Limits{})
		if err != nil {
			p.log.Warn("a file of models is left out", "file", name, "reason", err.Error())
			continue
		}
		sources = append(sources, v)
	}
	return p.catalog(sources...), nil
}

func (p *provider) catalog(sources ...value.Value) *models.Catalog {
	c, faults := models.NewCatalog(append([]value.Value{p.base}, sources...)...)
	for _, err := range faults {
		p.log.Warn("a model is left out", "reason", err.Error())
	}
	return c
}

// hidden reports whether a part of a name begins with a dot.
func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.Contains(name, "/.") }

// source is where the files are.
type source struct {
	path     string
	optional bool  // nothing there is no fault
	limit    int64 // of all files together, in bytes
}

// read returns all files as one text, see [pages].
func (s source) read() (text []byte, err error) {
	if !disk.IsFolder(s.path) {
		content, err := disk.ReadFile(s.path, s.limit)
		if s.optional && fault.Is(err, fault.NotFound) {
			return nil, nil
		}
		return addPage(nil, filepath.Base(s.path), content), err
	}
	folder, err := disk.Open(s.path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if closing := folder.Close(); err == nil {
			err = closing
		}
	}()
	left := s.limit
	for name, err := range folder.Walk("", "") {
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(name, ".json") || hidden(name) {
			continue
		}
		content, err := folder.Read(name, left)
		if fault.Is(err, fault.NotFound) {
			continue // it vanished meanwhile
		}
		if err != nil {
			return nil, err
		}
		left -= int64(len(content))
		text = addPage(text, name, content)
	}
	return text, nil
}
