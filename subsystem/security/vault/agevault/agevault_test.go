package agevault_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/sealed"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault/agevault"
	"github.com/sre-go/sre/subsystem/security/vault/vaulttest"
	"github.com/sre-go/sre/value"
)

func generate(t testing.TB) sealed.Keys {
	t.Helper()
	k, err := sealed.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func write(t testing.TB, dir, name string, text []byte, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func seal(t testing.TB, k sealed.Keys, text string) []byte {
	t.Helper()
	file, err := k.Seal([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// put writes a vault and its key file.
func put(t testing.TB, dir string, k sealed.Keys, text string) {
	t.Helper()
	write(t, dir, "vault.age", seal(t, k, text), 0o600)
	write(t, dir, "vault.key", []byte(k.Text().Reveal()), 0o600)
}

func TestSuite(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, agevault.Definition, vaulttest.Subject{Prepare: func(t *testing.T, dir string) value.Value {
		put(t, dir, generate(t), vaulttest.Data)
		return value.Obj()
	}})
}

func TestSuite_KeyInVariable(t *testing.T) {
	t.Parallel()
	k := generate(t)
	vaulttest.Run(t, agevault.Definition, vaulttest.Subject{
		Prepare: func(t *testing.T, dir string) value.Value {
			write(t, dir, "mine.age", seal(t, k, vaulttest.Data), 0o600)
			return value.Obj(value.M("file", value.Of("mine.age")), value.M("keyEnv", value.Of("MY_KEY")), value.M("keyFile", value.Of("")))
		},
		Getenv: func(name string) string {
			if name == "MY_KEY" {
				return k.Text().Reveal()
			}
			return ""
		},
	})
}

// A vault that a passphrase seals opens with it. Whoever sits at the terminal is asked for a key or a passphrase, once.
func TestPassphrase(t *testing.T) {
	t.Parallel()
	k, err := sealed.Passphrase(secret.New("five random words are fine"))
	if err != nil {
		t.Fatal(err)
	}
	file := seal(t, k, `{"team-a": {"k": "v"}}`)
	t.Run("variable", func(t *testing.T) {
		t.Parallel()
		w := vaulttest.Open(t, agevault.Definition, vaulttest.Subject{
			Prepare: func(t *testing.T, dir string) value.Value {
				write(t, dir, "vault.age", file, 0o600)
				return value.Obj()
			},
			Getenv: func(name string) string {
				return map[string]string{"SRE_VAULT_KEY": "five random words are fine"}[name]
			},
		})
		if got, err := w.As(t, "agent:helper").Get(t.Context(), "k"); err != nil || got.Reveal() != "v" {
			t.Errorf("Get = %q, %v, want v", got.Reveal(), err)
		}
		if err := w.As(t, "team:team-a").Set(t.Context(), "k", secret.New("w")); err != nil {
			t.Fatal(err)
		}
		if got, err := w.Again(t).As(t, "agent:helper").Get(t.Context(), "k"); err != nil || got.Reveal() != "w" {
			t.Errorf("after a restart Get = %q, %v, want w", got.Reveal(), err)
		}
	})
	t.Run("prompt", func(t *testing.T) {
		t.Parallel()
		k := generate(t)
		file := seal(t, k, `{"team-a": {"k": "v"}}`)
		asked := 0
		w := vaulttest.Open(t, agevault.Definition, vaulttest.Subject{
			Prepare: func(t *testing.T, dir string) value.Value {
				write(t, dir, "vault.age", file, 0o600)
				return value.Obj()
			},
			Ask: func(question string) (secret.Value, error) {
				asked++
				return k.Text(), nil
			},
		})
		if err := w.As(t, "team:team-a").Set(t.Context(), "k", secret.New("w")); err != nil {
			t.Fatal(err)
		}
		if got, err := w.As(t, "agent:helper").Get(t.Context(), "k"); err != nil || got.Reveal() != "w" || asked != 1 {
			t.Errorf("Get = %q, %v after %d questions, want w after 1", got.Reveal(), err, asked)
		}
	})
}

// What is not safe does not start: the code says so, the text says what to do, and no file is touched.
func TestT33_DoesNotStart(t *testing.T) {
	t.Parallel()
	k, other := generate(t), generate(t)
	file := seal(t, k, vaulttest.Data)
	key, otherKey := []byte(k.Text().Reveal()), []byte(other.Text().Reveal())
	const none = os.FileMode(0)
	tests := []struct {
		name              string
		file, key         []byte
		fileMode, keyMode os.FileMode
		hint              string
	}{
		{"wrong key", file, otherKey, 0o600, 0o600, k.Fingerprint()},
		{"missing key", file, nil, 0o600, none, "vault.key"},
		{"empty key", file, nil, 0o600, 0o600, "empty"},
		{"half a key", file, key[:len(key)-9], 0o600, 0o600, "damaged"},
		{"missing vault", nil, key, none, 0o600, "sre vault init"},
		{"empty vault file", nil, key, 0o600, 0o600, "damaged"},
		{"half-written", file[:len(file)/2], key, 0o600, 0o600, "damaged"},
		{"last byte lost", file[:len(file)-1], key, 0o600, 0o600, "damaged"},
		{"in the clear", []byte(vaulttest.Data), key, 0o600, 0o600, "damaged"},
		{"others read the vault", file, key, 0o644, 0o600, "chmod 600 vault.age"},
		{"the group reads the vault", file, key, 0o640, 0o600, "chmod 600 vault.age"},
		{"others read the key", file, key, 0o600, 0o644, "chmod 600 vault.key"},
		{"others write the key", file, key, 0o600, 0o602, "chmod 600 vault.key"},
		{"sealed, but no vault", seal(t, k, `["canary"]`), key, 0o600, 0o600, "array"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			env := connector.Env{Dir: t.TempDir(), Effects: effect.System{}, Log: slog.New(slog.NewTextHandler(&log, nil))}
			if tt.fileMode != none {
				write(t, env.Dir, "vault.age", tt.file, tt.fileMode)
			}
			if tt.keyMode != none {
				write(t, env.Dir, "vault.key", tt.key, tt.keyMode)
			}
			before := listing(t, env.Dir)
			conn, err := agevault.Definition.Open(t.Context(), env, value.Obj())
			if !fault.Is(err, fault.Invalid) || fault.KindOf(err).ExitCode() == 0 || !strings.Contains(err.Error(), tt.hint) {
				t.Fatalf("Open = %v, %v, want kind %v and %q in the text", conn, err, fault.Invalid, tt.hint)
			}
			if fault.CodeOf(err) != "CONFIG_UNSAFE" && tt.name != "sealed, but no vault" {
				t.Errorf("code = %s, want CONFIG_UNSAFE", fault.CodeOf(err))
			}
			for _, text := range []string{fmt.Sprintf("%v %+v %#v", err, err, err), log.String()} {
				if strings.Contains(text, "canary") || strings.Contains(text, strings.TrimSpace(string(key[len(key)-30:]))) {
					t.Errorf("a secret shows in %q", text)
				}
			}
			if after := listing(t, env.Dir); after != before {
				t.Errorf("the folder became\n%swant\n%s", after, before)
			}
		})
	}
}

// listing is what a folder holds, byte for byte.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %v %x\n", e.Name(), info.Mode(), text)
	}
	return b.String()
}

// While it runs, damage is refused whole, what was last good stays, and nothing is written over it. A mended file and a
// key that was rotated by another program count within five seconds.
func TestF17_F06_DamageWhileRunning(t *testing.T) {
	t.Parallel()
	k, next := generate(t), generate(t)
	synctest.Test(t, func(t *testing.T) {
		var folder string
		w := vaulttest.Open(t, agevault.Definition, vaulttest.Subject{Prepare: func(t *testing.T, dir string) value.Value {
			folder = dir
			put(t, dir, k, `{"team-a": {"k": "one"}}`)
			return value.Obj()
		}})
		good := seal(t, k, `{"team-a": {"k": "two"}}`)
		flipped := bytes.Clone(good)
		flipped[len(flipped)/2] ^= 1
		foreign := seal(t, next, `{"team-a": {"k": "forged"}}`)
		for name, bad := range map[string][]byte{"empty": nil, "half-written": good[:len(good)/2], "flipped": flipped, "another key": foreign, "in the clear": []byte(`{}`)} {
			write(t, folder, "vault.age", bad, 0o600)
			pass(t, 2*time.Second)
			wantK(t, w, name, "one")
			if err := w.As(t, "team:team-a").Set(t.Context(), "n", secret.New("x")); fault.CodeOf(err) != "CONFIG_UNSAFE" {
				t.Errorf("%s: Set: %v, want code CONFIG_UNSAFE", name, err)
			}
			if left, err := os.ReadFile(filepath.Join(folder, "vault.age")); err != nil || !bytes.Equal(left, bad) {
				t.Errorf("%s: the file became %d bytes, %v, want it untouched", name, len(left), err)
			}
		}
		write(t, folder, "vault.age", good, 0o644)
		pass(t, 2*time.Second)
		wantK(t, w, "readable by others", "one")
		write(t, folder, "vault.age", good, 0o600)
		pass(t, 2*time.Second)
		wantK(t, w, "mended", "two")
		put(t, folder, next, `{"team-a": {"k": "three"}}`)
		pass(t, 5*time.Second)
		wantK(t, w, "rotated", "three")
		if err := os.Remove(filepath.Join(folder, "vault.key")); err != nil {
			t.Fatal(err)
		}
		pass(t, 2*time.Second)
		wantK(t, w, "key gone", "three")
	})
}

func pass(t *testing.T, d time.Duration) {
	t.Helper()
	if err := (effect.System{}).Sleep(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func wantK(t *testing.T, w *vaulttest.World, what, text string) {
	t.Helper()
	if got, err := w.As(t, "agent:helper").Get(t.Context(), "k"); err != nil || got.Reveal() != text {
		t.Errorf("%s: Get = %q, %v, want %q", what, got.Reveal(), err, text)
	}
}

// References of the operator work as in the vault in the clear, and those of tenants stay text.
func TestT31_References(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"OPENAI_API_KEY": "sk-env", "PATH": "canary-path"}
	w := vaulttest.Open(t, agevault.Definition, vaulttest.Subject{
		Prepare: func(t *testing.T, dir string) value.Value {
			put(t, dir, generate(t), `{"team-a": {"k": "$env(OPENAI_API_KEY)", "p": "$env(PATH)"}, "team-b": {"k": "$env(OPENAI_API_KEY)", "p": "$env(PATH)"}}`)
			return value.Obj(value.M("operatorTeams", value.Strings([]string{"team-b"})))
		},
		Getenv: func(name string) string { return vars[name] },
	})
	for _, tt := range []struct{ who, key, want string }{
		{"agent:helper", "k", "$env(OPENAI_API_KEY)"}, {"agent:helper", "p", "$env(PATH)"}, {"agent:other", "k", "sk-env"}, {"agent:other", "p", "$env(PATH)"},
	} {
		if got, err := w.As(t, tt.who).Get(t.Context(), tt.key); err != nil || got.Reveal() != tt.want {
			t.Errorf("%s gets %s = %q, %v, want %q", tt.who, tt.key, got.Reveal(), err, tt.want)
		}
	}
}
