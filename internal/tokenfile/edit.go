package tokenfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

// Folder is what is asked of the data folder. Tests put one in between that fails at a chosen step.
type Folder interface {
	// Read returns the bytes of a file, and whether others than its owner may read or change it.
	Read(name string, limit int64) (text []byte, exposed bool, err error)
	// WriteAtomic replaces a file at once or not at all, readable by its owner only.
	WriteAtomic(name string, text []byte) error
	// Lock takes a lock without waiting.
	Lock(name string) (unlock func() error, err error)
	io.Closer
}

// edit changes the file while nobody else does.
func (f *File) edit(ctx context.Context, change func(*content) error) error {
	if f.config.Dir == "" {
		err := fault.Newf(fault.Unsupported, "a runtime without a data folder keeps no API tokens")
		return fault.Hint(err, "give it one with --dir or SMYTH_PATH")
	}
	f.writes.Lock()
	defer f.writes.Unlock()
	folder, err := f.config.Folders(f.config.Dir, true)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }() // what was written is on the disk already
	unlock, err := f.lock(ctx, folder)
	if err != nil {
		return err
	}
	defer func() { _ = unlock() }() // ends with the process at the latest
	text, err := readSafe(folder)
	c := &content{}
	switch {
	case err == nil:
		c = parse(text)
	case !fault.Is(err, fault.NotFound):
		return err
	}
	if err := change(c); err != nil {
		return err
	}
	next := c.text()
	switch {
	case bytes.Equal(next, text):
		return nil
	case int64(len(next)) > limit():
		return fault.Limitf("file_bytes", "the file of API tokens would have %d bytes, at most %d", len(next), limit())
	}
	if len(c.torn) > 0 {
		if err := f.keepAside(folder, text, c.torn); err != nil {
			return err
		}
	}
	return folder.WriteAtomic(Name, next)
}

// keepAside keeps a copy of a file with lines that will not be in the next one.
func (f *File) keepAside(folder Folder, text []byte, torn []string) error {
	sum := sha256.Sum256(text)
	name := Name + ".damaged-" + hex.EncodeToString(sum[:4])
	if err := folder.WriteAtomic(name, text); err != nil {
		return err
	}
	f.config.Log.Error("the file of API tokens was damaged; it was kept aside, and what was whole goes on", "kept", name, "damaged", strings.Join(torn, ", "))
	return nil
}

// Times of taking the lock of the file.
const (
	lockWait  = 5 * time.Second
	lockRetry = 20 * time.Millisecond
)

// lock waits for other processes that change the file.
func (f *File) lock(ctx context.Context, folder Folder) (unlock func() error, err error) {
	clock := f.config.Effects
	for deadline := clock.Now().Add(lockWait); ; {
		unlock, err = folder.Lock(Name + ".lock")
		if !fault.Is(err, fault.Conflict) {
			return unlock, err
		}
		if !clock.Now().Before(deadline) {
			return nil, &fault.Error{Op: "tokens.lock", Resource: Name, Kind: fault.Unavailable, Err: err, Hint: "another program is changing the tokens: try again"}
		}
		if err := clock.Sleep(ctx, lockRetry); err != nil {
			return nil, err
		}
	}
}

// openFolder opens a folder of the machine.
func openFolder(dir string, create bool) (Folder, error) {
	open := disk.Open
	if create {
		open = disk.Create
	}
	f, err := open(dir)
	if err != nil {
		return nil, err
	}
	return folder{f}, nil
}

type folder struct{ *disk.Folder }

func (f folder) Read(name string, limit int64) ([]byte, bool, error) {
	r, err := f.Open(name, limit)
	if err != nil {
		return nil, false, err
	}
	text, err := io.ReadAll(r)
	if closing := r.Close(); err == nil {
		err = closing
	}
	return text, r.Info().Exposed, err
}

func (f folder) Lock(name string) (func() error, error) {
	l, err := f.Folder.Lock(name)
	if err != nil {
		return nil, err
	}
	return l.Unlock, nil
}
