package functions

import (
	"context"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

type hashSettings struct {
	Algorithm *string `json:"algorithm" label:"Algorithm" sre:"allowEmpty,null" doc:"Hash function: md5, sha1, sha256, sha512, sha3-256, ripemd160, blake2b512, shake128 and others that OpenSSL knows, in any case."`
	Encoding  string  `json:"encoding" label:"Encoding" sre:"allowEmpty,null" doc:"How the hash is written: hex, base64, base64url, latin1, ascii, utf8 or utf16le. Anything else gives an object {type: \"Buffer\", data: [bytes]}."`
}

func hashType() component.Definition {
	return component.Define(component.Spec{
		Name:     "FHash",
		Summary:  "Hashes a text.",
		Doc:      "Hashes the UTF-8 bytes of a text, or the bytes of a buffer that another function left.",
		Category: component.Functions,
		Inputs:   []component.Port{{Name: "Data", Doc: "Text to hash."}},
		Outputs:  []component.Port{{Name: "Hash", Type: "Text", Doc: "The hash in the chosen encoding."}},
		Traits:   component.Traits{Cheap: true},
	}, runHash)
}

func runHash(_ context.Context, call *component.Call, s *hashSettings, in component.Input) (value.Value, error) {
	if s.Algorithm == nil {
		return value.Value{}, wrongType(wrongAlgorithm, call.Node.Settings.Get("algorithm"))
	}
	if call.Logs() {
		call.LogDebug("Hashing with " + *s.Algorithm)
	}
	message, err := messageBytes(in.Lookup("Data"))
	sum, ok := digest(*s.Algorithm, message)
	if !ok {
		return value.Value{}, fault.Newf(fault.Invalid, "Digest method not supported")
	}
	if err != nil {
		return value.Value{}, err
	}
	return value.Obj(value.M("Hash", digestValue(sum, s.Encoding))), nil
}

// digestValue writes a hash or signature; a name that is no encoding gives a buffer.
func digestValue(sum []byte, name string) value.Value {
	e := encodingNamed(name)
	if e == unknown {
		return bufferValue(sum)
	}
	return value.Of(e.write(sum))
}
