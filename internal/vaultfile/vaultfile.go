// Package vaultfile keeps the secrets of teams in one file.
//
// The vaults that are files differ in how the file is sealed, and in nothing
// else: its form, its reading, its changes and its sharing between processes are
// here. The file is read again when it has changed. A change that cannot be
// understood is refused whole, and what was last good stays: damage never makes
// a vault look empty. Writing replaces the file at once or not at all, after the
// new one was read back.
package vaultfile

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/limits"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault"
)

// CodeUnsafe is the code of errors about files whose protection does not hold: a wrong or missing key, a damaged or
// forged file, a file that others may read.
const CodeUnsafe = "CONFIG_UNSAFE"

// Unsafe makes an error with [CodeUnsafe], and a hint what to do.
func Unsafe(hint, format string, args ...any) error {
	err := fault.Newf(fault.Invalid, CodeUnsafe+": "+format, args...)
	return &fault.Error{Kind: fault.Invalid, Code: CodeUnsafe, Err: err, Hint: hint}
}

// Limit is the largest size of a vault file, in bytes.
func Limit() int64 { return int64(limits.Default().JSONBytes) }

// Codec turns the text of the file into JSON and back. It is safe for concurrent use. Nil is a file in the clear.
type Codec interface {
	// Open returns the JSON. What it cannot open is [Unsafe]. The caller owns the result.
	Open(text []byte) ([]byte, error)
	// Seal returns a text that Open opens.
	Seal(plain []byte) ([]byte, error)
}

// Config says which file is opened and how. All but Place and Effects may be left out.
type Config struct {
	Place    livefile.Place
	Codec    Codec
	Optional bool // a file that was never there holds nothing, instead of being an error
	Private  bool // a file that others may read is refused, instead of warned of
	Shared   string
	Refs     References
	Effects  effect.Source
	Log      *slog.Logger
	Folders  func(dir string, create bool) (disk.Small, error) // nil for those of the machine
}

// File is an open vault file, a connector of the vault service. It is safe for concurrent use and needs no closing.
type File struct {
	Config
	live   *livefile.File[*content]
	good   atomic.Pointer[content] // the last that could be read
	seen   atomic.Bool             // the file has been there
	writes sync.Mutex              // held while the file is changed

	mu     sync.Mutex
	warned string // the last complaint in the log
}

var (
	_ vault.Connector   = (*File)(nil)
	_ vault.Writer      = (*File)(nil)
	_ connector.Checker = (*File)(nil)
)

// Open reads the file for the first time. One that cannot be used is an error, and left as it is.
func Open(ctx context.Context, c Config) (*File, error) {
	f := &File{Config: c}
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	if f.Folders == nil {
		f.Folders = disk.OpenSmall
	}
	f.live = livefile.New(c.Effects, f.read, f.parse)
	if _, err := f.live.Get(ctx); err != nil {
		if fault.CodeOf(err) == CodeUnsafe { // it says what to do
			return nil, err
		}
		return nil, fault.Hint(err, "mend the vault file, or name another one in the setting file")
	}
	return f, nil
}

// read returns the text of the file.
func (f *File) read() ([]byte, error) {
	folder, err := f.Folders(f.Place.Dir, false)
	if err == nil {
		defer func() { _ = folder.Close() }() // nothing was written
		var text []byte
		if _, text, err = f.find(folder); err == nil {
			return text, nil
		}
	}
	if fault.Is(err, fault.NotFound) && f.Optional && !f.seen.Load() {
		return f.sealed("{}")
	}
	return nil, err
}

func (f *File) sealed(plain string) ([]byte, error) {
	if f.Codec == nil {
		return []byte(plain), nil
	}
	return f.Codec.Seal([]byte(plain))
}

// find reads the first file of the place that exists.
func (f *File) find(folder disk.Small) (name string, text []byte, err error) {
	err = fault.Newf(fault.NotFound, "no file name was given")
	for _, name := range f.Place.Names {
		text, exposed, failed := folder.Read(name, f.Place.Limit)
		if fault.Is(failed, fault.NotFound) {
			err = failed
			continue
		}
		if failed != nil {
			return name, nil, failed
		}
		if exposed {
			unsafe := Unsafe("take the rights of others away: chmod 600 "+name, "the vault file %s may be read or changed by other users of this machine", name)
			if f.Private {
				return name, nil, unsafe
			}
			f.warn(unsafe)
		}
		f.seen.Store(true)
		return name, text, nil
	}
	return f.Place.Names[0], nil, err
}

func (f *File) parse(text []byte) (*content, error) {
	plain, err := f.open(text)
	if err != nil {
		return nil, err
	}
	c, err := parse(plain)
	if err != nil {
		return nil, err
	}
	f.good.Store(c)
	return c, nil
}

func (f *File) open(text []byte) ([]byte, error) {
	if f.Codec == nil {
		return text, nil
	}
	return f.Codec.Open(text)
}

// content is the vault for every operation: that of the file, or the last good one when the file cannot be used.
func (f *File) content(ctx context.Context) (*content, error) {
	c, err := f.live.Get(ctx)
	if err == nil || ctx.Err() != nil {
		return c, err
	}
	f.warn(err)
	if good := f.good.Load(); good != nil {
		return good, nil
	}
	return nil, &fault.Error{Kind: fault.Unavailable, Code: fault.CodeOf(err), Err: err, Hint: "mend the vault file"}
}

// warn reports what is wrong with the file, once until it is something else.
func (f *File) warn(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if text := err.Error(); text != f.warned {
		f.warned = text
		f.Log.Warn("the vault file", "code", fault.CodeOf(err), "error", text, "kept", f.good.Load() != nil)
	}
}

// Check reports whether the vault can be read.
func (f *File) Check(ctx context.Context) error {
	_, err := f.content(ctx)
	return err
}

// ACL lets a team read its keys, the shared ones and its list, and change its own.
func (f *File) ACL(ctx context.Context, resource string) (*access.ACL, error) {
	c, err := f.content(ctx)
	if err != nil {
		return nil, err
	}
	team, key := vault.Split(resource)
	if key != "" {
		if _, _, ok := c.find(team, f.Shared, key); !ok {
			return nil, nil
		}
	}
	return c.acl(team)
}

// Get returns the entry of the team, else the shared one, with its references resolved where it may have some.
func (f *File) Get(ctx context.Context, g access.Grant[access.Read]) (secret.Value, error) {
	c, err := f.content(ctx)
	if err != nil {
		return secret.Value{}, err
	}
	team, key := vault.Split(g.Resource())
	e, owner, ok := c.find(team, f.Shared, key)
	if !ok {
		return secret.Value{}, fault.Newf(fault.NotFound, "no such key")
	}
	plain := e.value.Reveal()
	if resolved := f.Refs.resolve(owner, plain); resolved != plain {
		return secret.New(resolved).For(e.value.Hosts()...), nil
	}
	return e.value, nil
}

// List returns the keys of the team; of a team that the file does not name, the shared ones.
func (f *File) List(ctx context.Context, g access.Grant[access.Read]) ([]string, error) {
	infos, err := f.Info(ctx, g)
	if err != nil || infos == nil {
		return nil, err
	}
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name
	}
	return names, nil
}

// Info describes what List lists.
func (f *File) Info(ctx context.Context, g access.Grant[access.Read]) ([]vault.Info, error) {
	c, err := f.content(ctx)
	if err != nil {
		return nil, err
	}
	team, _ := vault.Split(g.Resource())
	return c.infos(team, f.Shared), nil
}
