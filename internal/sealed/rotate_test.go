package sealed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk/disktest"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/internal/vaultfile"
	"github.com/sre-go/sre/secret"
)

func config(dir string) (vaultfile.Config, livefile.Place) {
	return vaultfile.Config{Place: livefile.At(dir, "vault.age", vaultfile.Limit()), Private: true, Effects: effect.System{}}, PlaceOf(dir, "vault.key")
}

func made(t *testing.T) (vaultfile.Config, livefile.Place, Keys) {
	t.Helper()
	c, key := config(filepath.Join(t.TempDir(), "made"))
	k, fresh, err := Create(t.Context(), c, key)
	if err != nil || !fresh {
		t.Fatalf("Create: new key %v, %v", fresh, err)
	}
	if err := store(t, c, key, "k", "canary"); err != nil {
		t.Fatal(err)
	}
	return c, key, k
}

// opened opens the vault with its key file, as a runtime does.
func opened(ctx context.Context, c vaultfile.Config, key livefile.Place) (*vaultfile.File, error) {
	source := &Source{File: key}
	c.Folders = nil
	c.Codec = NewCodec(func() (Keys, error) { k, _, err := source.Keys(ctx); return k, err })
	return vaultfile.Open(ctx, c)
}

func granted[L access.Level](t testing.TB, key string) access.Grant[L] {
	t.Helper()
	team, err := access.Team("a")
	if err != nil {
		t.Fatal(err)
	}
	g, err := access.Authorize[L](t.Context(), nil, "test", team, "a/"+key, access.OwnedBy(team))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func store(t *testing.T, c vaultfile.Config, key livefile.Place, name, text string) error {
	t.Helper()
	f, err := opened(t.Context(), c, key)
	if err != nil {
		return err
	}
	return f.Set(t.Context(), granted[access.Write](t, name), secret.New(text))
}

func wantKept(t *testing.T, what string, c vaultfile.Config, key livefile.Place) {
	t.Helper()
	f, err := opened(t.Context(), c, key)
	if err != nil {
		t.Fatalf("%s: the key file does not open the vault: %v", what, err)
	}
	if v, err := f.Get(t.Context(), granted[access.Read](t, "k")); err != nil || v.Reveal() != "canary" {
		t.Fatalf("%s: k = %q, %v, want canary", what, v.Reveal(), err)
	}
}

func text(t *testing.T, place livefile.Place) string {
	t.Helper()
	b, err := place.Read()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCreate(t *testing.T) {
	t.Parallel()
	c, key, k := made(t)
	for _, name := range []string{"vault.age", "vault.key"} {
		if info, err := os.Stat(filepath.Join(c.Place.Dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v, want 0600", name, info.Mode(), err)
		}
	}
	if got, err := FingerprintOf([]byte(text(t, c.Place))); err != nil || got != k.Fingerprint() {
		t.Errorf("the file is sealed by %q, %v, want %q", got, err, k.Fingerprint())
	}
	before := text(t, key)
	if _, _, err := Create(t.Context(), c, key); !fault.Is(err, fault.Conflict) {
		t.Errorf("second Create: %v, want kind %v", err, fault.Conflict)
	}
	if err := os.Remove(filepath.Join(key.Dir, "vault.key")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Create(t.Context(), c, key); !fault.Is(err, fault.Conflict) {
		t.Errorf("Create without the key of the vault: %v, want kind %v", err, fault.Conflict)
	}
	if _, err := key.Read(); !fault.Is(err, fault.NotFound) {
		t.Errorf("a key was made for a vault that it does not open: %v", err)
	}
	// A key that is there is used, never replaced: so an init that was broken off can be run again.
	if err := os.WriteFile(filepath.Join(key.Dir, "vault.key"), []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(c.Place.Dir, "vault.age")); err != nil {
		t.Fatal(err)
	}
	again, fresh, err := Create(t.Context(), c, key)
	if err != nil || fresh || again.Fingerprint() != k.Fingerprint() || text(t, key) != before {
		t.Errorf("Create with a key: %v, new %v, %v, want the key that was there", again, fresh, err)
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	c, key, k := made(t)
	running, err := opened(t.Context(), c, key)
	if err != nil {
		t.Fatal(err)
	}
	old, now, err := Rotate(t.Context(), c, key)
	if err != nil || old != k.Fingerprint() || now == old {
		t.Fatalf("Rotate = %q, %q, %v, want from %q to another", old, now, err, k.Fingerprint())
	}
	wantKept(t, "rotated", c, key)
	if strings.Contains(text(t, key), k.pairs[0].identity.String()) {
		t.Error("the key file still holds the old key")
	}
	if _, err := k.Open([]byte(text(t, c.Place))); fault.CodeOf(err) != vaultfile.CodeUnsafe {
		t.Errorf("the old key: %v, want code %s", err, vaultfile.CodeUnsafe)
	}
	// A runtime that was running goes on, and writes under the new key.
	if err := running.Set(t.Context(), granted[access.Write](t, "n"), secret.New("x")); err != nil {
		t.Errorf("Set of a running vault: %v", err)
	}
	if got, err := FingerprintOf([]byte(text(t, c.Place))); err != nil || got != now {
		t.Errorf("after a change sealed by %q, %v, want %q", got, err, now)
	}
}

// Broken off at whatever step, before or after it: the key file opens the vault, all secrets are there, and running it
// again comes to an end.
func TestF04_RotateBrokenOff(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		c, key, _ := made(t)
		for n := 1; ; n++ {
			m := &disktest.Small{}
			m.Arm(n, after)
			c.Folders = m.Open
			_, _, err := Rotate(t.Context(), c, key)
			what := fmt.Sprintf("step %d, after %v", n, after)
			wantKept(t, what, c, key)
			if n > m.Steps() {
				if err != nil {
					t.Errorf("%s: %v, want no error when nothing fails", what, err)
				}
				break
			}
			if err == nil {
				t.Errorf("%s: no error", what)
			}
			if err := store(t, c, key, "more", fmt.Sprint(n)); err != nil {
				t.Errorf("%s: the vault cannot be changed: %v", what, err)
			}
			wantKept(t, what+", then changed", c, key)
		}
		if k, err := Parse(secret.New(text(t, key))); err != nil || len(k.pairs) != 1 {
			t.Errorf("the key file holds %d keys, %v, want 1 in the end", len(k.pairs), err)
		}
	}
}

// Changes while the key is rotated again and again are all kept.
func TestRotate_WhileInUse(t *testing.T) {
	t.Parallel()
	c, key, _ := made(t)
	running, err := opened(t.Context(), c, key)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 5 {
			if _, _, err := Rotate(t.Context(), c, key); err != nil {
				t.Errorf("Rotate: %v", err)
			}
		}
	})
	const changes = 20
	for i := range changes {
		if err := running.Set(t.Context(), granted[access.Write](t, fmt.Sprint("k", i)), secret.New(fmt.Sprint(i))); err != nil {
			t.Errorf("Set: %v", err)
		}
	}
	wg.Wait()
	wantKept(t, "rotated in use", c, key)
	f, err := opened(t.Context(), c, key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range changes {
		if v, err := f.Get(t.Context(), granted[access.Read](t, fmt.Sprint("k", i))); err != nil || v.Reveal() != fmt.Sprint(i) {
			t.Errorf("k%d = %q, %v, want %d", i, v.Reveal(), err, i)
		}
	}
}

// A wrong or exposed key stops a rotation before anything is written.
func TestT33_RotateRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, key string){
		"wrong key": func(t *testing.T, key string) {
			if err := os.WriteFile(key, []byte(generate(t).Text().Reveal()), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"exposed key": func(t *testing.T, key string) {
			if err := os.Chmod(key, 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"no key": func(t *testing.T, key string) {
			if err := os.WriteFile(key, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, key, _ := made(t)
			spoil(t, filepath.Join(key.Dir, "vault.key"))
			file, keys := text(t, c.Place), text(t, key)
			_, _, err := Rotate(t.Context(), c, key)
			wantUnsafe(t, name, err)
			if text(t, c.Place) != file || text(t, key) != keys {
				t.Errorf("%s: a file was written", name)
			}
		})
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inFile, inVariable, told := generate(t), generate(t), generate(t)
	if err := os.WriteFile(filepath.Join(dir, "vault.key"), []byte(inFile.Text().Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := func(name string) string { return map[string]string{"KEY": inVariable.Text().Reveal()}[name] }
	asked := 0
	ask := func(context.Context, string) (secret.Value, error) { asked++; return told.Text(), nil }
	tests := []struct {
		name   string
		source *Source
		from   Origin
		want   Keys
	}{
		{"variable first", &Source{Getenv: getenv, Variable: "KEY", File: PlaceOf(dir, "vault.key"), Ask: ask}, FromVariable, inVariable},
		{"variable not set", &Source{Getenv: getenv, Variable: "OTHER", File: PlaceOf(dir, "vault.key"), Ask: ask}, FromFile, inFile},
		{"file missing", &Source{Getenv: getenv, Variable: "OTHER", File: PlaceOf(dir, "no.key"), Ask: ask}, FromPrompt, told},
		{"nothing but the prompt", &Source{Ask: ask}, FromPrompt, told},
	}
	for _, tt := range tests {
		for range 2 {
			k, from, err := tt.source.Keys(t.Context())
			if err != nil || from != tt.from || k.Fingerprint() != tt.want.Fingerprint() {
				t.Errorf("%s: %v from %d, %v, want %v from %d", tt.name, k, from, err, tt.want, tt.from)
			}
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times by two sources, want once each", asked)
	}
	_, from, err := (&Source{Getenv: getenv, Variable: "OTHER", File: PlaceOf(dir, "no.key")}).Keys(t.Context())
	wantUnsafe(t, "no key", err)
	if from != Nowhere || err == nil || !strings.Contains(err.Error(), "no.key") || !strings.Contains(err.Error(), "OTHER") {
		t.Errorf("no key: %v, want a hint that names the file and the variable", err)
	}
	gone := errors.New("the terminal is gone")
	if _, _, err := (&Source{Ask: func(context.Context, string) (secret.Value, error) { return secret.Value{}, gone }}).Keys(t.Context()); !errors.Is(err, gone) {
		t.Errorf("failing prompt: %v, want %v", err, gone)
	}
}

// What failed is not tried again, what changed is.
func TestCodec_DoesNotGuessTwice(t *testing.T) {
	t.Parallel()
	right, wrong := phrase("canary phrase"), phrase("canary guess")
	file := seal(t, right, plain)
	given := wrong
	c := NewCodec(func() (Keys, error) { return given, nil })
	_, first := c.Open(file)
	wantUnsafe(t, "wrong passphrase", first)
	if _, again := c.Open(file); again != first {
		t.Errorf("the same file and key again: %v, want the error of the first time", again)
	}
	given = right
	for range 2 {
		got, err := c.Open(file)
		if err != nil || string(got) != plain {
			t.Errorf("the right passphrase: %q, %v", got, err)
		}
		clear(got) // the caller owns it
	}
	given = wrong
	_, err := c.Open(file)
	wantUnsafe(t, "wrong passphrase after the right one", err)
	given = right
	if got, err := c.Open(seal(t, right, "{}")); err != nil || string(got) != "{}" {
		t.Errorf("another file: %q, %v, want {}", got, err)
	}
}

// A key that is set but blank is closed: it is not passed over for another, and it opens nothing.
func TestT26_BlankKeyIsClosed(t *testing.T) {
	t.Parallel()
	c, key, _ := made(t)
	for _, blank := range []string{" ", "\n", "\t \r\n"} {
		source := &Source{Getenv: func(string) string { return blank }, Variable: "KEY", File: key}
		k, _, err := source.Keys(t.Context())
		wantUnsafe(t, fmt.Sprintf("key %q", blank), err)
		if got, err := k.Open([]byte(text(t, c.Place))); err == nil || got != nil {
			t.Errorf("key %q opens the vault: %q", blank, got)
		}
	}
}
