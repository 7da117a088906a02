package sealed

import (
	"context"
	"sync"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/internal/vaultfile"
	"github.com/sre-go/sre/secret"
)

// Origin says where a key came from.
type Origin uint8

// The origins, in the order in which they are tried.
const (
	Nowhere Origin = iota
	FromVariable
	FromFile
	FromPrompt
)

// Source is where the key of a vault is looked for: in a variable of the environment, in a file, and last with whoever
// sits at the terminal. It is safe for concurrent use; use it by its pointer.
type Source struct {
	Getenv   func(name string) string // nil for no environment
	Variable string                   // "" for none
	File     livefile.Place           // without names: none
	Ask      func(ctx context.Context, question string) (secret.Value, error)
	Folders  func(dir string, create bool) (disk.Small, error) // nil for those of the machine

	mu     sync.Mutex
	answer secret.Value // it is asked for once
}

// maxKeyFile bounds a key file, in bytes.
const maxKeyFile = 64 << 10

// PlaceOf returns the place of a key file that a setting names, as [livefile.At] does.
func PlaceOf(dir, file string) livefile.Place { return livefile.At(dir, file, maxKeyFile) }

// Keys returns the keys of the vault and where they were found. No key at all, a file that others may read, and a text
// that is no key are [vaultfile.CodeUnsafe].
func (s *Source) Keys(ctx context.Context) (Keys, Origin, error) {
	if s.Variable != "" && s.Getenv != nil {
		if text := s.Getenv(s.Variable); text != "" {
			k, err := Parse(secret.New(text))
			return k, FromVariable, err
		}
	}
	if len(s.File.Names) > 0 {
		k, err := readKeys(s.File, s.Folders)
		if !fault.Is(err, fault.NotFound) {
			return k, FromFile, err
		}
	}
	if s.Ask != nil {
		text, err := s.asked(ctx)
		if err != nil {
			return Keys{}, FromPrompt, err
		}
		k, err := Parse(text)
		return k, FromPrompt, err
	}
	return Keys{}, Nowhere, vaultfile.Unsafe(s.hint(), "there is no key for the vault")
}

func (s *Source) asked(ctx context.Context) (secret.Value, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer.IsZero() {
		text, err := s.Ask(ctx, "Passphrase or key of the vault: ")
		if err != nil {
			return secret.Value{}, err
		}
		s.answer = text
	}
	return s.answer, nil
}

func (s *Source) hint() string {
	hint := "put the key back"
	if len(s.File.Names) > 0 {
		hint += " into the file " + s.File.Names[0]
	}
	if s.Variable != "" {
		hint += ", or set the variable " + s.Variable
	}
	return hint
}

// readKeys reads a key file.
func readKeys(place livefile.Place, folders func(string, bool) (disk.Small, error)) (Keys, error) {
	if folders == nil {
		folders = disk.OpenSmall
	}
	folder, err := folders(place.Dir, false)
	if err != nil {
		return Keys{}, err
	}
	defer func() { _ = folder.Close() }() // nothing was written
	name := place.Names[0]
	text, exposed, err := folder.Read(name, place.Limit)
	if err != nil {
		return Keys{}, err
	}
	defer clear(text)
	if exposed {
		return Keys{}, vaultfile.Unsafe("take the rights of others away: chmod 600 "+name, "the key file %s may be read or changed by other users of this machine", name)
	}
	return Parse(secret.New(string(text)))
}
