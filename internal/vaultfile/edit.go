package vaultfile

import (
	"bytes"
	"context"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/subsystem/security/vault"
	"github.com/sre-go/sre/value"
)

// Set stores a secret of the team that the grant names, with its hosts. What else the file holds stays, in its order.
func (f *File) Set(ctx context.Context, g access.Grant[access.Write], v secret.Value) error {
	team, key := vault.Split(g.Resource())
	return f.edit(ctx, func(root value.Value) (value.Value, error) {
		return root.With(team, root.Get(team).With(key, valueOf(v))), nil
	})
}

// Delete removes a secret that the team holds itself.
func (f *File) Delete(ctx context.Context, g access.Grant[access.Write]) error {
	team, key := vault.Split(g.Resource())
	return f.edit(ctx, func(root value.Value) (value.Value, error) {
		section := root.Get(team)
		if !section.Has(key) {
			return root, fault.Newf(fault.NotFound, "team %s holds no key %q", team, key)
		}
		return root.With(team, section.Without(key)), nil
	})
}

// edit changes the file while nobody else does, and shows the change to the next reader.
func (f *File) edit(ctx context.Context, change func(value.Value) (value.Value, error)) error {
	f.writes.Lock()
	defer f.writes.Unlock()
	defer f.live.Expire() // also after a failure: the last step of writing may fail when the file is already the new one
	return f.rewrite(ctx, f.Codec, change)
}

// rewrite reads the file anew, changes it and puts it back sealed by to.
func (f *File) rewrite(ctx context.Context, to Codec, change func(value.Value) (value.Value, error)) error {
	folder, err := f.Folders(f.Place.Dir, true)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }() // what was written is on the disk already
	unlock, err := lock(ctx, folder, f.Effects, f.Place.Names[0])
	if err != nil {
		return err
	}
	defer func() { _ = unlock() }() // ends with the process at the latest
	name, text, err := f.find(folder)
	if fault.Is(err, fault.NotFound) && f.Optional && !f.seen.Load() {
		text, err = f.sealed("{}")
	}
	if err != nil {
		return err
	}
	plain, err := f.open(text)
	if err != nil {
		return err
	}
	root, err := decode(plain)
	if err != nil {
		return err
	}
	if root, err = change(root); err != nil {
		return err
	}
	return put(folder, name, f.Place.Limit, to, root)
}

// put writes a vault after having read it back: what could not be opened again never replaces what can.
func put(folder disk.Small, name string, limit int64, to Codec, root value.Value) error {
	if _, err := contentOf(root); err != nil {
		return err
	}
	plain := []byte(root.Indent("  ") + "\n")
	text := plain
	if to != nil {
		var err error
		if text, err = to.Seal(plain); err != nil {
			return err
		}
		back, err := to.Open(text)
		if err != nil {
			return err
		}
		if !bytes.Equal(back, plain) {
			return fault.Newf(fault.Internal, "the sealed vault does not open as it was sealed")
		}
	}
	if int64(len(text)) > limit {
		return fault.Limitf("file_bytes", "the vault would have %d bytes, at most %d", len(text), limit)
	}
	return folder.WriteAtomic(name, text)
}

// Times of taking the lock of a file.
const (
	lockWait  = 5 * time.Second
	lockRetry = 20 * time.Millisecond
)

// lock waits for other processes that change the file.
func lock(ctx context.Context, folder disk.Small, clock effect.Source, name string) (unlock func() error, err error) {
	for deadline := clock.Now().Add(lockWait); ; {
		unlock, err = folder.Lock(name + ".lock")
		if !fault.Is(err, fault.Conflict) {
			return unlock, err
		}
		if !clock.Now().Before(deadline) {
			return nil, fault.Hint(err, "another program is changing the vault: try again")
		}
		if err := clock.Sleep(ctx, lockRetry); err != nil {
			return nil, err
		}
	}
}

// Create writes an empty vault where there is none. One that is there is [fault.Conflict].
func Create(ctx context.Context, c Config) error {
	f := &File{Config: c}
	if f.Folders == nil {
		f.Folders = disk.OpenSmall
	}
	folder, err := f.Folders(c.Place.Dir, true)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }() // what was written is on the disk already
	unlock, err := lock(ctx, folder, c.Effects, c.Place.Names[0])
	if err != nil {
		return err
	}
	defer func() { _ = unlock() }() // ends with the process at the latest
	name := c.Place.Names[0]
	switch _, _, err := folder.Read(name, c.Place.Limit); {
	case err == nil:
		return fault.Hint(fault.Newf(fault.Conflict, "the vault %s is there already", name), "see what it holds: sre vault list")
	case !fault.Is(err, fault.NotFound):
		return err
	}
	return put(folder, name, c.Place.Limit, c.Codec, value.Obj())
}

// Reseal opens the vault as the configuration says and seals it again by another codec. When it returns an error, the
// file is either the old one or the new one.
func Reseal(ctx context.Context, c Config, to Codec) error {
	f, err := Open(ctx, c)
	if err != nil {
		return err
	}
	return f.rewrite(ctx, to, func(root value.Value) (value.Value, error) { return root, nil })
}
