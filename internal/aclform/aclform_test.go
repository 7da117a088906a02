package aclform

import (
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// The form is that of a job of the reference.
func TestParse(t *testing.T) {
	t.Parallel()
	const text = `{"hashAlgorithm":"xxh3","entries":{"agent":{"8d99dd9bc6c295e0":["owner"]},"public":{"public":["read","write"]}}}`
	v, err := value.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	acl, err := Parse(v)
	if err != nil {
		t.Fatal(err)
	}
	agent, err := access.Agent("agent-a")
	if err != nil {
		t.Fatal(err)
	}
	if got := acl.Rights(agent); got != access.RightOwner {
		t.Errorf("the rights of agent-a are %v, want owner", got)
	}
	if got := Value(acl).JSON(); got != text {
		t.Errorf("Value = %s, want %s", got, text)
	}
}

func TestParse_Refused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`null`, `[]`, `{}`, `{"entries":[]}`, `{"hashAlgorithm":"md5","entries":{}}`, `{"entries":{"robot":{"x":["read"]}}}`,
		`{"entries":{"agent":["x"]}}`, `{"entries":{"agent":{"x":"read"}}}`, `{"entries":{"agent":{"x":["all"]}}}`,
		`{"entries":{"agent":{"x":[1]}}}`, `{"entries":{"agent":{"":["read"]}}}`, `{"entries":{"agent":{"x/o,y":["read"]}}}`,
	} {
		v, err := value.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if acl, err := Parse(v); !fault.Is(err, fault.Invalid) {
			t.Errorf("Parse(%s) = %v, %v, want INVALID", text, acl, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"hashAlgorithm":"xxh3","entries":{"agent":{"8d99dd9bc6c295e0":["owner","none"]},"team":{"a|b":["read"]}}}`)
	f.Add(`{"entries":{"agent":{},"public":{"public":[]}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := value.Parse(text)
		if err != nil {
			return
		}
		acl, err := Parse(v)
		if err != nil {
			return
		}
		again, err := Parse(Value(acl))
		if err != nil || again.String() != acl.String() {
			t.Errorf("%s is read back as %v, %v", acl, again, err)
		}
	})
}
