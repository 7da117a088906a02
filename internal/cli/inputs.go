package cli

import (
	"mime"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/sre-go/sre"
	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/infer"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/schema"
	"github.com/sre-go/sre/value"
)

// input is what the arguments of a command give to a skill.
type input struct {
	values value.Value
	files  []component.File
}

// inputs reads arguments such as name=Ada, count:=3 and file=@report.pdf.
func (a *app) inputs(skill sre.Skill, args []string) (input, error) {
	in := input{values: value.Obj()}
	var names []string
	ports := map[string]component.NodePort{}
	for _, p := range skill.Inputs {
		names = append(names, p.Name)
		ports[p.Name] = p
	}
	for _, arg := range args {
		name, text, ok := strings.Cut(arg, "=")
		if !ok {
			return in, usageError{fault.Newf(fault.Invalid, "%q is no input: write name=value, name:=json or name=@file", arg)}
		}
		name, isJSON := strings.CutSuffix(name, ":")
		port, known := ports[name]
		if !known && len(names) > 0 {
			return in, usageError{fault.New(fault.Invalid, schema.UnknownName("input of "+skill.Name, name, names))}
		}
		if err := a.input(&in, port, name, text, isJSON); err != nil {
			return in, err
		}
	}
	for _, p := range skill.Inputs {
		given := !in.values.Get(p.Name).IsAbsent() || in.hasFile(p.Name)
		if !given && !p.Optional && !p.DefaultVal.Truthy() {
			return in, usageError{fault.Newf(fault.Invalid, "the input %s is missing: run it as sre agent … --skill %s", p.Name, signature(skill))}
		}
	}
	return in, nil
}

func (in *input) hasFile(name string) bool {
	for _, f := range in.files {
		if f.Field == name {
			return true
		}
	}
	return false
}

func (a *app) input(in *input, port component.NodePort, name, text string, isJSON bool) error {
	typ := infer.TypeOf(port.Type)
	path, isFile := strings.CutPrefix(text, "@")
	switch {
	case isJSON:
		v, err := value.Parse(text)
		if err != nil {
			return usageError{fault.Newf(fault.Invalid, "%s:= wants JSON: %w", name, err)}
		}
		in.values = in.values.With(name, v)
		return nil
	case isFile:
		data, err := disk.ReadFile(a.path(path), int64(limits.Default().ResponseBytes))
		if err != nil {
			return err
		}
		if typ.IsBinary() || port.IsFile {
			in.files = append(in.files, component.File{Field: name, Name: filepath.Base(path), MIME: mimeOf(path, data), Data: data})
			return nil
		}
		text = string(data)
	}
	v := value.Of(text)
	if !typ.IsBinary() && v.Truthy() {
		converted, err := typ.Convert(v)
		if err != nil {
			return usageError{fault.Newf(fault.Invalid, "input %s: %w (it is of type %s)", name, err, port.Type)}
		}
		v = converted
	}
	in.values = in.values.With(name, v)
	return nil
}

func mimeOf(path string, data []byte) string {
	if t := mime.TypeByExtension(filepath.Ext(path)); t != "" {
		return t
	}
	return http.DetectContentType(data)
}

// path makes a path of the command line absolute.
func (a *app) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(a.Work, p)
}
