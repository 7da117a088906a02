// Package files holds the components that keep files of an agent.
package files

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/binary"
	"github.com/sre-go/sre/internal/publicfile"
	"github.com/sre-go/sre/internal/smythfs"
	"github.com/sre-go/sre/internal/template"
	"github.com/sre-go/sre/subsystem/io/storage"
	"github.com/sre-go/sre/value"
)

// Definitions returns the component types of this family.
func Definitions() []component.Definition { return []component.Definition{fileStore()} }

type storeSettings struct {
	Name string `json:"name" label:"Name" sre:"max=1000,allowEmpty,null,template" doc:"Name of the file, with placeholders; it stands between random letters and the ending."`
	TTL  int    `json:"ttl" label:"TTL" sre:"integer,min=0,default=86400" doc:"Seconds that the file is kept."`
}

func fileStore() component.Definition {
	return component.Define(component.Spec{
		Name:     "FileStore",
		Summary:  "Keeps a file and gives it a public address.",
		Doc:      "The address can be opened by anybody who knows it, until the file has expired. It begins with the public address of the Router service.",
		Category: component.Functions,
		Inputs:   []component.Port{{Name: "Data", Type: "Binary", Doc: "The file: an upload, an address, a data URL, base64, a file object, or a text."}},
		Outputs:  []component.Port{{Name: "Url", Type: "Text", Doc: "The public address."}},
	}, runStore)
}

func runStore(ctx context.Context, call *component.Call, s *storeSettings, in component.Input) (value.Value, error) {
	data := in.Get("Data")
	if data.IsNil() {
		return value.Value{}, fault.Newf(fault.Invalid, "there is no file in the input Data")
	}
	found, err := binary.From(ctx, call, data, "Data")
	if err != nil {
		return value.Value{}, err
	}
	if len(found) == 0 {
		return value.Value{}, fault.Newf(fault.Invalid, "there is no file in the input Data")
	}
	custom, err := template.Compile(s.Name).Expand(in.Lookup, template.Options{Bare: true, Clean: true})
	if err != nil {
		return value.Value{}, err
	}
	uri := smythfs.URI{Owner: call.Candidate(), Path: "components_data/" + name(call, custom, found[0])}
	team, err := call.Account().Team(ctx)
	if err != nil {
		return value.Value{}, err
	}
	o := storage.Options{TTL: time.Duration(s.TTL) * time.Second, Metadata: value.Obj(value.M("ContentType", value.Of(found[0].MIME)))}
	if err := call.Storage().Write(ctx, uri.Name(team), found[0].Data, o); err != nil {
		return value.Value{}, err
	}
	url, err := publicfile.Maker{Scope: call.Scope, Effects: call.Effects}.Resource(ctx, uri)
	if err != nil {
		return value.Value{}, err
	}
	if call.Logs() {
		call.LogDebug("stored", uri.String())
	}
	return value.Obj(value.M("Url", value.Of(url))), nil
}

// name is the name of a new file: random letters, what the author wishes, the ending of its type.
func name(call *component.Call, custom string, f binary.File) string {
	var random [9]byte
	call.Effects.Random(random[:])
	parts := []string{base64.RawURLEncoding.EncodeToString(random[:])}
	if custom = binary.PlainName(custom); custom != "" {
		parts = append(parts, custom)
	}
	if dot := strings.LastIndexByte(f.Name, '.'); dot >= 0 && dot+1 < len(f.Name) && !strings.HasSuffix(custom, f.Name[dot:]) {
		parts = append(parts, f.Name[dot+1:])
	}
	return strings.Join(parts, ".")
}
