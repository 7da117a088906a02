package llm

import (
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/secret"
)

// Two teams at one provider do not wait for each other, whatever their credentials are made of.
func TestF07_GateOfAnAccount(t *testing.T) {
	t.Parallel()
	g := newGates(effect.System{})
	of := func(field, text string) *gate {
		return g.of(&Call{Credential: Credential{fields: map[string]secret.Value{field: secret.New(text)}}}, "Cloud")
	}
	for _, field := range []string{FieldKey, FieldAccessKey, FieldAccount} {
		if of(field, "a") == of(field, "b") {
			t.Errorf("two accounts with a different %s share a gate", field)
		}
		if of(field, "a") != of(field, "a") {
			t.Errorf("one account with the same %s has two gates", field)
		}
	}
	if of(FieldKey, "a") == of(FieldAccessKey, "a") {
		t.Error("a key and an access key of the same text share a gate")
	}
}
