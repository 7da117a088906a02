// Package localnkv keeps the values of the NKV service in a folder of the machine, one file for each.
//
// A write replaces a file at once or not at all and is on the disk when it is acknowledged. Files are named by digests, so
// no two addresses meet and none leads out of the folder; what a file is about stands in it, and a file in the place of
// another is not taken for it. A value that is damaged is an error that names it, and listings go on without it. Folders
// of the reference are read as they are.
//
// Several processes may use one folder.
package localnkv

import (
	"context"
	"iter"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/connector"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

type settings struct {
	Folder string `json:"folder" doc:"Folder of the values; made when something is stored. The default is \"nkv\" in the data folder of the runtime."`
}

// Definition returns the connector "LocalStorage".
func Definition() connector.Definition {
	return connector.Define(nkv.Kind, "LocalStorage", "Keeps values in a folder of this machine.", open).
		WithDoc("A value is one file for its owner only. Folders of the TypeScript runtime are read as they are; a value that is stored anew becomes a file of this runtime.")
}

// folder is what a store asks of the disk. Tests put one in between that fails.
type folder interface {
	Exists() bool
	Read(name string, limit int64) ([]byte, error)
	WriteAtomic(name string, data []byte) error
	Remove(name string) error
	Walk(prefix, after string) iter.Seq2[string, error]
	Sweep(before time.Time) error
	Close() error
}

// store implements [nkv.Connector].
type store struct {
	folder folder
	old    *reference
	clock  effect.Source
	log    *slog.Logger
}

// abandoned is the age from which the temporary file of a write is taken for left behind.
const abandoned = 24 * time.Hour

func open(_ context.Context, env connector.Env, s settings) (nkv.Connector, error) {
	dir := s.Folder
	if dir == "" {
		if env.Dir == "" {
			return nil, fault.Hint(fault.Newf(fault.Invalid, "there is no data folder"), "set the folder of LocalStorage")
		}
		dir = filepath.Join(env.Dir, "nkv")
	}
	return newStore(disk.Later(dir), env), nil
}

func newStore(f folder, env connector.Env) *store {
	s := &store{folder: f, old: &reference{folder: f}, clock: env.Effects, log: env.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// unusable reports whether what lies at a place can be no value: no regular file, a link that leads out, or a size that
// no value has.
func unusable(err error) bool {
	return fault.Is(err, fault.Invalid) || fault.Is(err, fault.Limit) || fault.CodeOf(err) == disk.CodePathDenied
}

// Get implements [nkv.Connector].
func (s *store) Get(_ context.Context, g access.Grant[access.Read]) (value.Value, error) {
	return s.get(nkv.At(g))
}

// get looks for a record, then for a file of the reference, and then once more for a record: a value that was stored anew
// meanwhile went from there to here.
func (s *store) get(at nkv.Address) (value.Value, error) {
	v, err := s.own(at)
	if !fault.Is(err, fault.NotFound) {
		return v, err
	}
	switch ok, err := s.old.has(at); {
	case err != nil:
		return value.Value{}, err
	case !ok:
		return value.Value{}, nkv.Missing()
	}
	if v, err := s.old.read(at); !fault.Is(err, fault.NotFound) {
		return v, err
	}
	return s.own(at)
}

// own returns the value of the record of an address.
func (s *store) own(at nkv.Address) (value.Value, error) {
	found, v, err := s.record(fileOf(at))
	switch {
	case fault.CodeOf(err) == nkv.CodeDamaged:
		return value.Value{}, nkv.Damaged(at, "%w", err)
	case err != nil:
		return value.Value{}, err
	case found != at:
		return value.Value{}, nkv.Damaged(at, "the record is that of another value")
	}
	return v, nil
}

// Set implements [nkv.Connector].
func (s *store) Set(_ context.Context, g access.Grant[access.Write], v value.Value) error {
	at := nkv.At(g)
	b, err := encode(at, v)
	if err != nil {
		return err
	}
	if err := s.folder.WriteAtomic(fileOf(at), b); err != nil {
		return err
	}
	return s.old.remove(at) // hidden by now
}

// Delete implements [nkv.Connector]. The file of the reference goes first: the record hides it, and it must not come to
// light again.
func (s *store) Delete(_ context.Context, g access.Grant[access.Write]) error {
	at := nkv.At(g)
	if err := s.old.remove(at); err != nil {
		return err
	}
	return s.removeRecord(fileOf(at))
}

func (s *store) removeRecord(file string) error {
	if err := s.folder.Remove(file); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return nil
}

// DeleteAll implements [nkv.Connector].
func (s *store) DeleteAll(ctx context.Context, g access.Grant[access.Write]) error {
	at := nkv.At(g)
	keys, err := s.old.in(at)
	if err != nil {
		return err
	}
	for _, key := range keys {
		at.Key = key
		if err := s.old.remove(at); err != nil {
			return err
		}
	}
	for file, err := range s.folder.Walk(spaceOf(at), "") {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err == nil {
			err = s.removeRecord(file)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Start removes what writes of earlier processes left behind.
func (s *store) Start(context.Context) error {
	return s.folder.Sweep(s.clock.Now().Add(-abandoned))
}

// Check reports whether the folder can be read.
func (s *store) Check(context.Context) error {
	if !s.folder.Exists() {
		return nil // nothing was stored yet
	}
	for _, err := range s.folder.Walk(valuesFolder, "") {
		return err // the first is enough
	}
	return nil
}

// Close gives the folder back.
func (s *store) Close(context.Context) error { return s.folder.Close() }

var (
	_ nkv.Connector     = (*store)(nil)
	_ connector.Starter = (*store)(nil)
	_ connector.Checker = (*store)(nil)
	_ connector.Closer  = (*store)(nil)
)
