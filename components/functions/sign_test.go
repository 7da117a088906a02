package functions

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

func TestSign(t *testing.T) {
	t.Parallel()
	const empty = "3673438f11d71c21a9b8b59232a3dd61" // of "a" with the empty key
	tests := []recording{
		{"empty key", `{"key":""}`, `{"Data":"a"}`, `"` + empty + `"`, ""},
		{"empty settings count as absent", `{"key":"","signMethod":"","hashType":"","encoding":"","dataTransform":""}`, `{"Data":"a"}`, `"` + empty + `"`, ""},
		{"empty key input", `{"key":""}`, `{"Data":"a","Key":""}`, `"` + empty + `"`, ""},
		{"unknown hash", `{"key":"k","hashType":"nope"}`, `{"Data":"a"}`, ``, "Invalid digest: nope"},
		{"hash without HMAC", `{"key":"k","hashType":"shake128"}`, `{"Data":"a"}`, ``, "Invalid digest: shake128"},
		{"unknown hash of RSA", `{"signMethod":"RSA","key":"PEM","hashType":"nope"}`, `{"Data":"a"}`, ``, "Invalid digest"},
		{"key of another kind", `{"key":"k"}`, `{"Data":"a","Key":5}`, ``, wrongKey + "type number (5)"},
		{"key comes before the data", `{}`, `{"Data":5}`, ``, wrongKey + "undefined"},
		{"no data", `{"key":"k"}`, `{}`, ``, wrongData + "undefined"},
		{"array as data", `{"key":"k","dataTransform":"None"}`, `{"Data":[1]}`, ``, wrongData + "an instance of Array"},
		{"number as a query string", `{"key":"k","dataTransform":"Querystring"}`, `{"Data":5}`, ``, wrongData + "type number (5)"},
		{"unknown method needs no key", `{"signMethod":"DSA"}`, `{"Data":"a"}`, `null`, ""},
		{"no encoding", `{"key":"","encoding":"nope"}`, `{"Data":"a"}`, `{"type":"Buffer","data":[54,115,67,143,17,215,28,33,169,184,181,146,50,163,221,97]}`, ""},
	}
	for _, r := range tests {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.check(t, "FSign", "Signature", &component.Call{})
		})
	}
}

func TestTransform(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, how, in, want string }{
		{"nothing", "None", `{"a":1}`, `{"a":1}`},
		{"unknown", "Nope", `{"a":1}`, `{"a":1}`},
		{"text as JSON", "Stringify", `"x"`, `"x"`},
		{"object as JSON", "Stringify", `{"a":1,"b":[true]}`, `"{\"a\":1,\"b\":[true]}"`},
		{"number as JSON", "Stringify", `5`, `"5"`},
		{"null as JSON", "Stringify", `null`, `"null"`},
		{"query of text", "Querystring", `"a=1"`, `"a=1"`},
		{"query", "Querystring", `{"a":1,"b":"x y","c":[1,2],"d":{"e":1},"f":null,"g":true,"h":"\u00e9!'()*~-_.&=","i":[],"k":1.5,"l":[null,{}],"k k":""}`,
			`"a=1&b=x%20y&c=1&c=2&d=&f=&g=true&h=%C3%A9!'()*~-_.%26%3D&k=1.5&l=&l=&k%20k="`},
		{"query of an array", "Querystring", `[1,"a"]`, `"0=1&1=a"`},
		{"query of a large number", "Querystring", `{"a":1e21}`, `"a=1e%2B21"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := transform(test.how, parse(t, test.in)); !value.Equal(got, parse(t, test.want)) {
				t.Errorf("transform(%s) = %s, want %s", test.in, got.JSON(), test.want)
			}
		})
	}
}

func TestSignPSS(t *testing.T) {
	t.Parallel()
	key, err := readKey(secret.New(testKey(t)))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("hello"))
	tests := []struct {
		name, salt string
		length     int
	}{
		{"default", "", 222},
		{"longest", "RSA_PSS_SALTLEN_MAX_SIGN", 222},
		{"auto", "RSA_PSS_SALTLEN_AUTO", 222},
		{"of the hash", "RSA_PSS_SALTLEN_DIGEST", 32},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			settings := value.Obj(value.M("signMethod", value.Of("RSA")), value.M("hashType", value.Of("sha256")), value.M("key", value.Of(testKey(t))),
				value.M("RSA_padding", value.Of("RSA_PKCS1_PSS_PADDING")), value.M("RSA_saltLength", value.Of(test.salt)))
			got, err := run(t, "FSign", settings, value.Obj(value.M("Data", value.Of("hello"))), &component.Call{})
			if err != nil {
				t.Fatal(err)
			}
			signature, err := hex.DecodeString(got.GetString("Signature"))
			if err != nil {
				t.Fatal(err)
			}
			if err := rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: test.length}); err != nil {
				t.Errorf("the signature does not verify with a salt of %d bytes: %v", test.length, err)
			}
		})
	}
}

// Errors about a key name what to do, and never show the key.
func TestBadKeys(t *testing.T) {
	t.Parallel()
	const canary = "Y2FuYXJ5"
	tests := []struct {
		name, key, padding string
		kind               fault.Kind
	}{
		{"no PEM", canary, "", fault.Invalid},
		{"nothing in it", "-----BEGIN PRIVATE KEY-----\n" + canary + "\n-----END PRIVATE KEY-----\n", "", fault.Invalid},
		{"old form", "-----BEGIN RSA PRIVATE KEY-----\n" + canary + "\n-----END RSA PRIVATE KEY-----\n", "", fault.Invalid},
		{"encrypted", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + canary + "\n-----END ENCRYPTED PRIVATE KEY-----\n", "", fault.Invalid},
		{"wrong padding", testKey(t), "RSA_NO_PADDING", fault.Unsupported},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			settings := value.Obj(value.M("signMethod", value.Of("RSA")), value.M("key", value.Of(test.key)), value.M("RSA_padding", value.Of(test.padding)))
			call := &component.Call{KeepLog: true}
			got, err := run(t, "FSign", settings, value.Obj(value.M("Data", value.Of("hello"))), call)
			if !fault.Is(err, test.kind) {
				t.Fatalf("Run() = %s, %v; want an error of kind %v", got.JSON(), err, test.kind)
			}
			if text := err.Error() + call.LogText(); strings.Contains(text, canary) || !strings.Contains(text, "(") {
				t.Errorf("the error %q shows the key or lacks a hint", text)
			}
		})
	}
}

// The key of the settings is a template over the inputs and variables; that of the input is used as it is.
func TestKeyTemplates(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, setting, given, want string }{
		{"input", "k-{{n}}", "", "k-5"},
		{"variable", "{{v}}", "", "of the agent"},
		{"quotes stay", `{{q}}`, "", `say "k"`},
		{"unknown stays", "{{nope}}", "", "{{nope}}"},
		{"the input wins", "k", "given", "given"},
		{"the input is no template", "k", "{{v}}", "{{v}}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := component.Input{
				Ports:     []component.NodePort{{Name: "n"}, {Name: "q"}, {Name: "Key"}},
				Values:    []value.Value{value.OfInt(5), value.Of(`say "k"`), value.Of(test.given)},
				Variables: value.Obj(value.M("v", value.Of("of the agent"))),
			}
			key := secret.New(test.setting)
			got, err := signingKey(t.Context(), &component.Call{}, &signSettings{Key: &key}, in)
			if err != nil || got.Reveal() != test.want {
				t.Errorf("signingKey() = %q, %v; want %q", got.Reveal(), err, test.want)
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	inst := definition(b, "FSign").Compile(parse(b, `{"hashType":"sha256","key":"secret"}`))
	in := component.Input{Ports: []component.NodePort{{Name: "Data"}}, Values: []value.Value{value.Of("hello world")}}
	call := &component.Call{Node: &component.Node{}, Effects: effect.System{}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := inst.Run(b.Context(), call, in); err != nil {
			b.Fatal(err)
		}
	}
}

// constant is a source whose random bytes are all the same.
type constant struct {
	effect.System
	b byte
}

func (c constant) Random(p []byte) {
	for i := range p {
		p[i] = c.b
	}
}

// A run that is played again gets the same signature.
func TestSaltIsRandomnessOfTheRun(t *testing.T) {
	t.Parallel()
	settings := value.Obj(value.M("signMethod", value.Of("RSA")), value.M("hashType", value.Of("sha256")), value.M("key", value.Of(testKey(t))),
		value.M("RSA_padding", value.Of("RSA_PKCS1_PSS_PADDING")))
	sign := func(b byte) string {
		got, err := run(t, "FSign", settings, value.Obj(value.M("Data", value.Of("hello"))), &component.Call{Effects: constant{b: b}})
		if err != nil {
			t.Fatal(err)
		}
		return got.GetString("Signature")
	}
	if first, again := sign(1), sign(1); first != again {
		t.Errorf("two signatures with the same random bytes differ: %s and %s", first, again)
	}
	if first, other := sign(1), sign(2); first == other {
		t.Errorf("signatures with different random bytes are equal: %s", first)
	}
}
