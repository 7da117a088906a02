package vaultfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/disk/disktest"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/secret"
)

// turned is a codec that is easy to see through, and fails when it is told to.
type turned struct{ by byte }

func (c turned) Open(text []byte) ([]byte, error) {
	if len(text) == 0 || text[0] != c.by {
		return nil, Unsafe("use the right key", "wrong key")
	}
	return c.turn(text[1:]), nil
}

func (c turned) Seal(plain []byte) ([]byte, error) {
	return append([]byte{c.by}, c.turn(plain)...), nil
}

func (c turned) turn(text []byte) []byte {
	out := bytes.Clone(text)
	for i := range out {
		out[i] ^= c.by
	}
	return out
}

// grant lets team a act on one of its keys.
func grant[L access.Level](t testing.TB, key string) access.Grant[L] {
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

func get(ctx context.Context, t testing.TB, f *File, key string) string {
	t.Helper()
	v, err := f.Get(ctx, grant[access.Read](t, key))
	if err != nil {
		return "error: " + err.Error()
	}
	return v.Reveal()
}

// Whatever step of a change fails, before it or after: the file holds the old state or the new one and opens, readers go
// on, what was acknowledged stays, and the next change works without a restart.
func TestF04_NthFailure(t *testing.T) {
	t.Parallel()
	for _, codec := range []Codec{nil, turned{7}} {
		for _, after := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				var m disktest.Small
				c := Config{Place: livefile.At(t.TempDir(), "v", Limit()), Codec: codec, Effects: effect.System{}, Folders: m.Open}
				if err := Create(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				f, err := Open(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				if err := f.Set(t.Context(), grant[access.Write](t, "k"), secret.New("0")); err != nil {
					t.Fatal(err)
				}
				old := "0"
				for n := 1; ; n++ {
					what := fmt.Sprintf("codec %T, step %d, after %v", codec, n, after)
					m.Arm(n, after)
					next := fmt.Sprint(n)
					err := f.Set(t.Context(), grant[access.Write](t, "k"), secret.New(next))
					failed := n <= m.Steps()
					m.Arm(0, false)
					if failed != (err != nil) {
						t.Errorf("%s: Set: %v, want an error: %v", what, err, failed)
					}
					got := get(t.Context(), t, f, "k")
					fresh, err := Open(t.Context(), c)
					if err != nil {
						t.Fatalf("%s: the file does not open any more: %v", what, err)
					}
					if on := get(t.Context(), t, fresh, "k"); on != got || got != old && got != next || !failed && got != next {
						t.Errorf("%s: read %q, on the disk %q, want %q or %q", what, got, on, old, next)
					}
					old = got
					if !failed {
						if n < 4 {
							t.Errorf("only %d steps failed, want each of folder, lock, read and write", n-1)
						}
						return
					}
				}
			})
		}
	}
}

// A disk that does not answer keeps nobody from reading what is known.
func TestF04_ReadsGoOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m disktest.Small
		c := Config{Place: livefile.At(t.TempDir(), "v", Limit()), Optional: true, Effects: effect.System{}, Folders: m.Open}
		f, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Set(t.Context(), grant[access.Write](t, "k"), secret.New("v")); err != nil {
			t.Fatal(err)
		}
		if got := get(t.Context(), t, f, "k"); got != "v" {
			t.Fatalf("read %q, want v", got)
		}
		for n := 1; n <= 2; n++ {
			if err := (effect.System{}).Sleep(t.Context(), livefile.MaxAge); err != nil {
				t.Fatal(err)
			}
			m.Arm(n, false)
			if got := get(t.Context(), t, f, "k"); got != "v" {
				t.Errorf("step %d failed: read %q, want v", n, got)
			}
		}
	})
}

// Whoever else holds the lock is waited for, for five seconds and no longer; a caller who goes away does not wait.
func TestLock_Waits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := Config{Place: livefile.At(t.TempDir(), "v", Limit()), Optional: true, Effects: effect.System{}}
		f, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		folder, err := disk.OpenSmall(c.Place.Dir, true)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = folder.Close() }()
		unlock, err := folder.Lock("v.lock")
		if err != nil {
			t.Fatal(err)
		}
		start := (effect.System{}).Now()
		set := func(ctx context.Context) error { return f.Set(ctx, grant[access.Write](t, "k"), secret.New("v")) }
		if err := set(t.Context()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "another program") {
			t.Errorf("Set while another holds the lock: %v, want kind %v", err, fault.Conflict)
		}
		if waited := (effect.System{}).Now().Sub(start); waited < lockWait || waited > lockWait+lockRetry {
			t.Errorf("waited %v, want %v", waited, lockWait)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := set(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Set of a caller who went away: %v, want %v", err, context.Canceled)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := set(t.Context()); err != nil {
				t.Errorf("Set after the lock was given back: %v", err)
			}
		})
		if err := (effect.System{}).Sleep(t.Context(), lockWait/2); err != nil {
			t.Error(err)
		}
		if err := unlock(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
}

// Sealing again changes the seal and nothing else, and Create makes no second vault.
func TestReseal(t *testing.T) {
	t.Parallel()
	c := Config{Place: livefile.At(t.TempDir(), "v", Limit()), Codec: turned{7}, Effects: effect.System{}}
	if err := Create(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := Create(t.Context(), c); !fault.Is(err, fault.Conflict) {
		t.Errorf("second Create: %v, want kind %v", err, fault.Conflict)
	}
	f, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Set(t.Context(), grant[access.Write](t, "k"), secret.New("v")); err != nil {
		t.Fatal(err)
	}
	if err := Reseal(t.Context(), c, turned{9}); err != nil {
		t.Fatal(err)
	}
	if err := f.Set(t.Context(), grant[access.Write](t, "k"), secret.New("w")); fault.CodeOf(err) != CodeUnsafe {
		t.Errorf("Set with the old key: %v, want code %s", err, CodeUnsafe)
	}
	if err := Reseal(t.Context(), c, turned{11}); fault.CodeOf(err) != CodeUnsafe {
		t.Errorf("Reseal with the old key: %v, want code %s", err, CodeUnsafe)
	}
	c.Codec = turned{9}
	again, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t.Context(), t, again, "k"); got != "v" {
		t.Errorf("under the new key: %q, want v", got)
	}
}

func BenchmarkGet(b *testing.B) {
	f, err := Open(b.Context(), Config{Place: livefile.At(b.TempDir(), "v", Limit()), Optional: true, Effects: effect.System{}})
	if err != nil {
		b.Fatal(err)
	}
	if err := f.Set(b.Context(), grant[access.Write](b, "k"), secret.New("v").For("a.test")); err != nil {
		b.Fatal(err)
	}
	g := grant[access.Read](b, "k")
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Get(ctx, g); err != nil {
			b.Fatal(err)
		}
	}
}
