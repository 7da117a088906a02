package skills

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/internal/binary"
	"github.com/sre-go/sre/internal/infer"
	"github.com/sre-go/sre/value"
)

// files replaces the members of a section that feed inputs of file types by file objects: what the member stands for,
// or the uploads of that field.
func files(ctx context.Context, call *component.Call, section value.Value, uploads []component.File) (value.Value, error) {
	if !section.IsObject() {
		return section, nil
	}
	for i := range call.Node.Inputs {
		port := &call.Node.Inputs[i]
		if !port.IsFile && !infer.TypeOf(port.Type).IsBinary() {
			continue
		}
		found, err := filesOf(ctx, call, section.Get(port.Name), port.Name, uploads)
		if err != nil {
			return value.Value{}, err
		}
		var objects []value.Value
		for _, f := range found {
			o, err := binary.Store(ctx, call, f)
			if err != nil {
				return value.Value{}, err
			}
			objects = append(objects, o)
		}
		switch {
		case len(objects) == 1:
			section = section.With(port.Name, objects[0])
		case len(objects) > 1:
			section = section.With(port.Name, value.OfItems(objects))
		}
	}
	return section, nil
}

// filesOf returns the files of an input: those its value stands for, else the uploads of the field.
func filesOf(ctx context.Context, call *component.Call, v value.Value, name string, uploads []component.File) ([]binary.File, error) {
	if v.Truthy() {
		return binary.From(ctx, call, v, name)
	}
	var found []binary.File
	for _, u := range uploads {
		if u.Field == name {
			found = append(found, binary.Upload(call, u))
		}
	}
	return found, nil
}
