package httpserver

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

func folder(t *testing.T) (*disk.Folder, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := disk.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, filepath.Join(dir, TokenFile)
}

func TestLoadOrMakeToken(t *testing.T) {
	t.Parallel()
	f, path := folder(t)
	made, created, err := LoadOrMakeToken(f, effect.System{})
	if err != nil || !created || !validToken(made.Reveal()) || len(made.Reveal()) != 2*tokenBytes {
		t.Fatalf("LoadOrMakeToken() = %d bytes, %v, %v, want a new token", len(made.Reveal()), created, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, %v, want that only the owner reads it", info.Mode(), err)
	}
	again, created, err := LoadOrMakeToken(f, effect.System{})
	if err != nil || created || !again.Equal(made) {
		t.Errorf("second time: created %v, %v, want the same token", created, err)
	}
	g, _ := folder(t)
	if other, _, err := LoadOrMakeToken(g, effect.System{}); err != nil || other.Equal(made) {
		t.Errorf("another folder: %v, want another token", err)
	}
}

// TestLoadOrMakeToken_Own: an operator may write the file; a file without a token stays as it is.
func TestLoadOrMakeToken_Own(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"own":     {testToken, testToken},
		"newline": {testToken + "\r\n", testToken},
		"empty":   {"", ""},
		"short":   {"abc\n", ""},
		"blanks":  {"one token with blanks", ""},
		"binary":  {"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x10\x11\x12\x13\x14\x15", ""},
	} {
		f, path := folder(t)
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, created, err := LoadOrMakeToken(f, effect.System{})
		if created || got.Reveal() != tt.want || (tt.want == "") != fault.Is(err, fault.Invalid) {
			t.Errorf("%s: LoadOrMakeToken() = %q, %v, %v, want %q", name, got.Reveal(), created, err, tt.want)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != tt.text {
			t.Errorf("%s: the file holds %q, %v, want it unchanged", name, text, err)
		}
	}
}

// TestLoadOrMakeToken_Race: of servers that start at once, one makes the token, and none has another one.
func TestLoadOrMakeToken_Race(t *testing.T) {
	t.Parallel()
	f, _ := folder(t)
	var mu sync.Mutex
	var all sync.WaitGroup
	tokens, made := map[string]bool{}, 0
	for range 20 {
		all.Go(func() {
			token, created, err := LoadOrMakeToken(f, effect.System{})
			mu.Lock()
			defer mu.Unlock()
			if created {
				made++
			}
			if err == nil {
				tokens[token.Reveal()] = true
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made != 1 || len(tokens) != 1 {
		t.Errorf("%d tokens were made, %d are in use, want one", made, len(tokens))
	}
}
