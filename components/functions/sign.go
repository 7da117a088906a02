package functions

import (
	"context"
	"crypto/hmac"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

type signSettings struct {
	Method     string        `json:"signMethod" label:"Sign Method" sre:"allowEmpty,null,default=HMAC" doc:"HMAC or RSA. Any other method gives null."`
	HashType   string        `json:"hashType" label:"Hash Type" sre:"allowEmpty,null,default=md5" doc:"Hash function of the signature, by its name in OpenSSL."`
	Key        *secret.Value `json:"key" label:"Key" sre:"allowEmpty,null,template" doc:"Secret of an HMAC, or private RSA key as PEM without a passphrase. {{KEY(name)}} takes it from the vault."`
	Transform  string        `json:"dataTransform" label:"Data Transform" sre:"allowEmpty,null,default=None" doc:"What is done first to data that is no text: None, Stringify for JSON or Querystring for name=value pairs."`
	Encoding   string        `json:"encoding" label:"Encoding" sre:"allowEmpty,null,default=hex" doc:"How the signature is written: hex, base64, base64url, latin1, ascii, utf8 or utf16le. Anything else gives an object {type: \"Buffer\", data: [bytes]}."`
	Padding    string        `json:"RSA_padding" label:"RSA Padding" sre:"allowEmpty,null" doc:"RSA_PKCS1_PADDING, the default, or RSA_PKCS1_PSS_PADDING."`
	SaltLength string        `json:"RSA_saltLength" label:"RSA Salt Length" sre:"allowEmpty,null" doc:"Salt of the PSS padding: RSA_PSS_SALTLEN_DIGEST for that of the hash, RSA_PSS_SALTLEN_MAX_SIGN, the default, or RSA_PSS_SALTLEN_AUTO for the longest."`
}

func signType() component.Definition {
	return component.Define(component.Spec{
		Name:     "FSign",
		Summary:  "Signs a text with an HMAC or an RSA key.",
		Category: component.Functions,
		Inputs: []component.Port{
			{Name: "Data", Doc: "Text to sign, or what the transform makes a text of."},
			{Name: "Key", Optional: true, Doc: "Key, instead of the one in the settings. It is used as it is."},
		},
		Outputs: []component.Port{{Name: "Signature", Type: "Text", Doc: "The signature in the chosen encoding."}},
	}, runSign)
}

func runSign(ctx context.Context, call *component.Call, s *signSettings, in component.Input) (value.Value, error) {
	method, encoding := or(s.Method, "HMAC"), or(s.Encoding, "hex")
	data := transform(s.Transform, in.Lookup("Data"))
	if call.Logs() {
		call.LogDebug(" Data to sign = ", logText(data))
		call.LogDebug(" Signing data using " + method + " algorithm and " + encoding + " encoding")
	}
	signature := value.NullValue()
	if method == "HMAC" || method == "RSA" {
		key, err := signingKey(ctx, call, s, in)
		if err != nil {
			return value.Value{}, err
		}
		sign := signHMAC
		if method == "RSA" {
			sign = signRSA
		}
		sum, err := sign(call, s, key, data)
		if err != nil {
			return value.Value{}, err
		}
		signature = digestValue(sum, encoding)
	}
	if call.Logs() {
		call.LogDebug(" Signature generated: " + logText(signature))
	}
	return value.Obj(value.M("Signature", signature)), nil
}

func signHMAC(_ *component.Call, s *signSettings, key secret.Value, data value.Value) ([]byte, error) {
	name := or(s.HashType, "md5")
	newHash, _ := hashNamed(name)
	if newHash == nil {
		return nil, fault.Newf(fault.Invalid, "Invalid digest: %s", name)
	}
	message, err := messageBytes(data)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(newHash, []byte(key.Reveal()))
	mac.Write(message)
	return mac.Sum(nil), nil
}

// or returns s, or the other text when s is empty.
func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// logText writes a value into a log line.
func logText(v value.Value) string {
	if s, ok := v.Str(); ok {
		return s
	}
	if v.IsAbsent() {
		return v.Text()
	}
	return v.Indent("  ")
}
