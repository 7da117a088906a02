package jsonfilevault_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/subsystem/security/vault/jsonfilevault"
	"github.com/sre-go/sre/subsystem/security/vault/vaulttest"
	"github.com/sre-go/sre/value"
)

// edited is a vault file under edit, in virtual time.
type edited struct {
	t      *testing.T
	folder string
	w      *vaulttest.World
	helper *vault.Handle
}

func edit(t *testing.T, text string, settings ...value.Member) *edited {
	e := &edited{t: t}
	e.w = vaulttest.Open(t, jsonfilevault.Definition, vaulttest.Subject{Prepare: func(t *testing.T, dir string) value.Value {
		e.folder = dir
		write(t, dir, "vault.json", text)
		return value.Obj(settings...)
	}})
	e.helper = e.w.As(t, "agent:helper")
	return e
}

func (e *edited) path() string { return filepath.Join(e.folder, "vault.json") }

func (e *edited) pass(d time.Duration) {
	e.t.Helper()
	if err := (effect.System{}).Sleep(e.t.Context(), d); err != nil {
		e.t.Fatal(err)
	}
}

// want fails unless the key k is text, or, with "", refused.
func (e *edited) want(what, text string) {
	e.t.Helper()
	got, err := e.helper.Get(e.t.Context(), "k")
	if got.Reveal() != text || (text == "") != fault.Is(err, fault.Denied) {
		e.t.Errorf("%s: Get = %q, %v, want %q", what, got.Reveal(), err, text)
	}
}

// A valid edit counts within a second. One that cannot be understood is refused whole and what was last good stays,
// also when the file is gone for a moment or for good.
func TestF17_Changes(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]value.Member{"named": {value.M("file", value.Of("vault.json"))}, "found": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := edit(t, `{"team-a": {"k": "one"}}`, settings...)
				e.want("first", "one")
				steps := []struct{ what, text, want string }{
					{"valid change", `{"team-a": {"k": "two"}}`, "two"},
					{"half-written", `{"team-a": {"k": "thr`, "two"},
					{"empty", ``, "two"},
					{"one team good, one bad", `{"team-a": {"k": "three"}, "team-b": 1}`, "two"},
					{"a host that is none", `{"team-a": {"k": {"value": "three", "hosts": ["a b"]}}}`, "two"},
					{"misspelt hosts", `{"team-a": {"k": {"value": "three", "host": ["a.test"]}}}`, "two"},
					{"key twice", `{"team-a": {"k": "three", "k": "four"}}`, "two"},
					{"mended", `{"team-a": {"k": "five"}}`, "five"},
					{"key taken away", `{"team-a": {}}`, ""},
					{"key back", `{"team-a": {"k": "six"}}`, "six"},
				}
				for _, s := range steps {
					write(t, e.folder, "vault.json", s.text)
					e.pass(livefile.MaxAge)
					e.want(s.what, s.want)
				}
				if err := os.Remove(e.path()); err != nil {
					t.Fatal(err)
				}
				e.pass(time.Hour)
				e.want("file gone", "six")
				if err := e.w.As(t, "team:team-a").Set(t.Context(), "n", secret.New("x")); !fault.Is(err, fault.NotFound) {
					t.Errorf("Set while the file is gone: %v, want kind %v", err, fault.NotFound)
				}
				write(t, e.folder, "vault.json", `{"team-a": {"k": "seven"}}`)
				e.pass(livefile.MaxAge)
				e.want("file back", "seven")
			})
		})
	}
}

// A change through the vault is refused while the file is broken: it would make the damage final.
func TestF17_NoWritesOverDamage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := edit(t, `{"team-a": {"k": "one"}}`)
		const broken = `{"team-a": {"k": "on`
		write(t, e.folder, "vault.json", broken)
		if err := e.w.As(t, "team:team-a").Set(t.Context(), "n", secret.New("x")); !fault.Is(err, fault.Invalid) {
			t.Errorf("Set over a broken file: %v, want kind %v", err, fault.Invalid)
		}
		if left, err := os.ReadFile(e.path()); err != nil || string(left) != broken {
			t.Errorf("the broken file became %q, %v, want it untouched", left, err)
		}
		e.pass(livefile.MaxAge)
		e.want("broken", "one")
	})
}

// Of a hundred changes in a second the last one counts, and no reader ever sees one that was not there or an older one
// after a newer one. Editors write in place, or put a new file in its place, or move the old one away first.
func TestF17_ManyChanges(t *testing.T) {
	t.Parallel()
	ways := map[string]func(t *testing.T, e *edited, text string){
		"in place": func(t *testing.T, e *edited, text string) { write(t, e.folder, "vault.json", text) },
		"new file": func(t *testing.T, e *edited, text string) {
			write(t, e.folder, "vault.json~", text)
			if err := os.Rename(e.path()+"~", e.path()); err != nil {
				t.Error(err)
			}
		},
		"old file away": func(t *testing.T, e *edited, text string) {
			if err := os.Rename(e.path(), e.path()+".bak"); err != nil {
				t.Error(err)
			}
			e.pass(time.Millisecond)
			write(t, e.folder, "vault.json", text)
		},
	}
	for name, change := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := edit(t, `{"team-a": {"k": "0", "copy": "0"}}`)
				var wg sync.WaitGroup
				done := make(chan struct{})
				for range 4 {
					wg.Go(func() {
						for last := 0; ; {
							select {
							case <-done:
								return
							default:
							}
							got, err := e.helper.Get(t.Context(), "k")
							n, bad := strconv.Atoi(got.Reveal())
							if err != nil || bad != nil || n < last {
								t.Errorf("read %q, %v after %d", got.Reveal(), err, last)
								return
							}
							last = n
							e.pass(3 * time.Millisecond)
						}
					})
				}
				for i := 1; i <= 100; i++ {
					change(t, e, fmt.Sprintf(`{"team-a": {"k": "%d", "copy": "%d"}}`, i, i))
					e.pass(9 * time.Millisecond)
				}
				e.pass(livefile.MaxAge)
				e.want("after a hundred changes", "100")
				close(done)
				wg.Wait()
			})
		})
	}
}

// A key that was rotated is handed out within five seconds of it; through the vault, at once.
func TestF17_RotatedKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := edit(t, `{"team-a": {"k": "old"}}`)
		e.want("before", "old")
		write(t, e.folder, "vault.json", `{"team-a": {"k": "new"}}`)
		start := (effect.System{}).Now()
		for {
			got, err := e.helper.Get(t.Context(), "k")
			if err != nil {
				t.Fatal(err)
			}
			if got.Reveal() == "new" {
				break
			}
			e.pass(50 * time.Millisecond)
			if took := (effect.System{}).Now().Sub(start); took > 5*time.Second {
				t.Fatalf("the old key is handed out %v after the rotation, want at most 5s", took)
			}
		}
		if err := e.w.As(t, "team:team-a").Set(t.Context(), "k", secret.New("newer")); err != nil {
			t.Fatal(err)
		}
		e.want("at once", "newer")
	})
}
