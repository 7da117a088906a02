package llm_test

import (
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/subsystem/llm/llm/llmtest"
	"github.com/sre-go/sre/value"
)

func secrets() map[string]map[string]string {
	return map[string]map[string]string{
		"team-a": {"fake": "canary-a", "ID": "canary-id", "SECRET": "canary-secret", "ACCOUNT": `{"canary": 1}`, "TPL": "{{KEY(fake)}}", "EMPTY": ""},
		"team-b": {"fake": "canary-b", "ONLY_B": "canary-only-b"},
	}
}

func environment(name string) string { return map[string]string{"FAKE_API_KEY": "canary-env"}[name] }

// credential asks a model with those credentials and returns the call as the provider got it.
func credential(t *testing.T, who, credentials, more string, getenv func(string) string) (*llm.Call, *llmtest.World, error) {
	t.Helper()
	entry := object(t, `{"provider": "Fake", "modelId": "m"`+more+`}`)
	if credentials != "" {
		entry = entry.With("credentials", object(t, credentials))
	}
	w, s := world(t, llmtest.Setup{Models: value.Obj(value.M("m", entry)), Vault: secrets(), Getenv: getenv}, parts(nil, done()))
	if _, err := w.As(t, who).Generate(t.Context(), ask("m")); err != nil {
		return nil, w, err
	}
	return s.last(), w, nil
}

func TestCredential_Modes(t *testing.T) {
	t.Parallel()
	const cloud = `, "settings": {"keyIDName": "ID", "secretKeyName": "SECRET", "jsonCredentialsName": "ACCOUNT"}`
	tests := []struct {
		name, who, credentials, more string
		field, want                  string
		own                          bool
	}{
		{"usual", "agent:helper", ``, "", llm.FieldKey, "canary-a", true},
		{"usual, of another team", "agent:other", ``, "", llm.FieldKey, "canary-b", true},
		{"usual, of nobody", "agent:stranger", ``, "", llm.FieldKey, "canary-env", false},
		{"none", "agent:helper", `"none"`, "", llm.FieldKey, "", false},
		{"internal", "agent:helper", `"internal"`, "", llm.FieldKey, "canary-env", false},
		{"vault", "agent:helper", `"vault"`, "", llm.FieldKey, "canary-a", true},
		{"in order", "agent:stranger", `["vault", "internal"]`, "", llm.FieldKey, "canary-env", false},
		{"first of two", "agent:helper", `["internal", "vault"]`, "", llm.FieldKey, "canary-env", false},
		{"key pair", "agent:helper", `"bedrock_vault"`, cloud, llm.FieldSecretKey, "canary-secret", true},
		{"half a key pair", "agent:helper", `["bedrock_vault", "internal"]`, `, "settings": {"keyIDName": "ID", "secretKeyName": "NOPE"}`, llm.FieldKey, "canary-env", false},
		{"service account", "agent:helper", `["vertexai_vault"]`, cloud, llm.FieldAccount, `{"canary": 1}`, true},
		{"object", "agent:helper", `{"apiKey": "x-{{KEY(ID)}}-{{KEY(SECRET)}}"}`, "", llm.FieldKey, "x-canary-id-canary-secret", true},
		{"nested object", "agent:helper", `{"oauth": {"id": "{{KEY(ID)}}", "n": 5, "z": null}}`, "", "oauth.id", "canary-id", true},
		{"nested number", "agent:helper", `{"oauth": {"id": "{{KEY(ID)}}", "n": 5, "z": null}}`, "", "oauth.n", "5", true},
		{"literal", "agent:helper", `{"apiKey": "literal {{KEY(ID"}`, "", llm.FieldKey, "literal {{KEY(ID", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			call, w, err := credential(t, test.who, test.credentials, test.more, environment)
			if err != nil {
				t.Fatal(err)
			}
			if got := call.Credential.Field(test.field); got.Reveal() != test.want || call.Credential.Own() != test.own {
				t.Errorf("%s = %q (own %t), want %q (own %t)", test.field, got.Reveal(), call.Credential.Own(), test.want, test.own)
			}
			if d := w.Denials(); len(d) > 0 && test.who != "agent:stranger" {
				t.Errorf("denials %v, want none: a key that nobody stored is no attempt", d)
			}
		})
	}
}

// A missing key is an error that says where to put it, and names no secret.
func TestCredential_Missing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, credentials string
		want              []string
	}{
		{"usual", ``, []string{"no key for Fake", "fake in the vault", "FAKE_API_KEY"}},
		{"vault only", `"vault"`, []string{"fake in the vault"}},
		{"internal only", `"internal"`, []string{"FAKE_API_KEY"}},
		{"object without a key", `{"region": "x"}`, []string{"name no key"}},
	}
	for _, test := range tests {
		call, _, err := credential(t, "agent:stranger", test.credentials, "", nil)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		_, err = call.Credential.Key()
		if !fault.Is(err, fault.Unauthenticated) || fault.CodeOf(err) != llm.CodeNoKey {
			t.Errorf("%s: Key() error = %v, want code %s", test.name, err, llm.CodeNoKey)
		}
		for _, part := range test.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error = %v, want %q in it", test.name, err, part)
			}
		}
	}
	_, _, err := credential(t, "agent:helper", `"keychain"`, "", nil)
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("unknown mode: error = %v, want kind %v", err, fault.Invalid)
	}
}

// TestT27_OtherTeamsVault: a key of another team and one that does not exist read alike, and neither is asked for.
func TestT27_OtherTeamsVault(t *testing.T) {
	t.Parallel()
	var texts []string
	for _, key := range []string{"ONLY_B", "NO_SUCH", "../team-b/fake", "__proto__", "EMPTY"} {
		call, _, err := credential(t, "agent:helper", `{"apiKey": "{{KEY(`+key+`)}}"}`, "", environment)
		if err == nil {
			t.Fatalf("%s: asked with %q, want an error", key, call.Credential.Optional().Reveal())
		}
		if !fault.Is(err, fault.Unauthenticated) || fault.CodeOf(err) != llm.CodeNoKey || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: error = %v, want code %s without a secret", key, err, llm.CodeNoKey)
		}
		texts = append(texts, strings.ReplaceAll(err.Error(), key, "KEY"))
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("errors differ: %q and %q", texts[0], text)
		}
	}
}

// TestT28_SecondExpansion: what the vault holds is not looked through for keys.
func TestT28_SecondExpansion(t *testing.T) {
	t.Parallel()
	call, _, err := credential(t, "agent:helper", `{"apiKey": "{{KEY(TPL)}}"}`, "", environment)
	if err != nil || call.Credential.Optional().Reveal() != "{{KEY(fake)}}" {
		t.Errorf("key = %q, %v, want the text of the vault", call.Credential.Optional().Reveal(), err)
	}
}

// TestT30_TeamModel: the operator's key goes to no address that a team chose.
func TestT30_TeamModel(t *testing.T) {
	t.Parallel()
	settings := object(t, `{"user-custom-llm": {
		"1": {"name": "own", "provider": "Fake", "modelId": "m", "baseURL": "https://attacker.test", "credentials": "internal"},
		"2": {"name": "usual", "provider": "Fake", "modelId": "m", "credentials": "internal"},
		"3": {"name": "fake", "provider": "Fake", "modelId": "shadow"},
		"4": {"name": "cloud", "provider": "Fake", "modelId": "m", "settings": {"apiEndpoint": "attacker.test"}, "credentials": "internal"}
	}}`)
	w, s := world(t, llmtest.Setup{TeamSettings: settings, Vault: secrets(), Getenv: environment}, parts(nil, done()))
	h := w.As(t, "agent:helper")
	for model, want := range map[string]string{"own": "", "cloud": "", "usual": "canary-env"} {
		if _, err := h.Generate(t.Context(), ask(model)); err != nil {
			t.Fatal(err)
		}
		if k := s.last().Credential.Optional(); k.Reveal() != want {
			t.Errorf("%s was asked with %q, want %q", model, k.Reveal(), want)
		}
		if _, err := s.last().Credential.Key(); want == "" && (err == nil || strings.Contains(err.Error(), "FAKE_API_KEY")) {
			t.Errorf("%s: Key() error = %v, want one that does not point at the operator's key", model, err)
		}
	}
	if _, err := h.Generate(t.Context(), ask("fake")); err != nil || s.last().Target.ModelID != "fake-1" {
		t.Errorf("a team's model of the name of the operator's: asked %q, %v, want the operator's", s.last().Target.ModelID, err)
	}
	if _, err := w.As(t, "agent:other").Generate(t.Context(), ask("own")); !fault.Is(err, fault.NotFound) {
		t.Errorf("another team asks the model: error = %v, want kind %v", err, fault.NotFound)
	}
}

// TestT31_Environment: only the variable of the provider's key is read, whatever the model names.
func TestT31_Environment(t *testing.T) {
	t.Parallel()
	var read []string
	getenv := func(name string) string {
		read = append(read, name)
		return "canary"
	}
	for _, provider := range []string{"Fake", "PATH", "$env(PATH)"} {
		entry := object(t, `{"modelId": "m", "credentials": "internal"}`).With("provider", value.Of(provider))
		w, _ := world(t, llmtest.Setup{Models: value.Obj(value.M("m", entry)), Getenv: getenv}, parts(nil, done()))
		_, err := w.As(t, "agent:helper").Generate(t.Context(), ask("m"))
		if (err == nil) != (provider == "Fake") {
			t.Errorf("provider %q: error = %v", provider, err)
		}
	}
	if len(read) != 1 || read[0] != "FAKE_API_KEY" {
		t.Errorf("read %q of the environment, want FAKE_API_KEY", read)
	}
}
