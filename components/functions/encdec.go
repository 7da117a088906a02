package functions

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

type encodeSettings struct {
	Action   string  `json:"action" label:"Action" sre:"allowEmpty,null,default=Encode" doc:"Encode writes the text in the encoding; anything else reads it back."`
	Encoding *string `json:"encoding" label:"Encoding" sre:"allowEmpty,null" doc:"hex, base64, base64url, latin1, ascii, utf8 or utf16le, in any case; utf8 when absent."`
}

func encodeType() component.Definition {
	return component.Define(component.Spec{
		Name:    "FEncDec",
		Summary: "Encodes a text, or decodes it.",
		Doc: "Encoding takes the UTF-8 bytes of a text, or an array of byte values, and writes them in the encoding. " +
			"Decoding skips what does not belong to the encoding and gives UTF-8 text.",
		Category: component.Functions,
		Inputs:   []component.Port{{Name: "Data", Doc: "Text to encode or to decode."}},
		Outputs:  []component.Port{{Name: "Output", Type: "Text", Doc: "The encoded or decoded text."}},
		Traits:   component.Traits{Cheap: true},
	}, runEncode)
}

func runEncode(_ context.Context, call *component.Call, s *encodeSettings, in component.Input) (value.Value, error) {
	name, action := "undefined", s.Action
	e := asUTF8
	if s.Encoding != nil {
		name = *s.Encoding
		e = encodingNamed(name)
	}
	if action == "" {
		action = "Encode"
	}
	if call.Logs() {
		call.LogDebug(name + " " + action + " data")
	}
	data := in.Lookup("Data")
	text, isText := data.Str()
	decode := action != "Encode"
	if decode && isText {
		if e == unknown && name != "" {
			return value.Value{}, unknownEncoding(name)
		}
		return value.Obj(value.M("Output", value.Of(utf8Text(e.read(text))))), nil
	}
	b, err := looseBytes(data)
	if err != nil {
		return value.Value{}, err
	}
	if decode {
		return value.Obj(value.M("Output", value.Of(utf8Text(b)))), nil
	}
	if e == unknown {
		return value.Value{}, unknownEncoding(name)
	}
	return value.Obj(value.M("Output", value.Of(e.write(b)))), nil
}

func unknownEncoding(name string) error {
	return fault.Newf(fault.Invalid, "Unknown encoding: %s", name)
}
