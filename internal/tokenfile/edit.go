package tokenfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

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
func (f *File) keepAside(folder disk.Small, text []byte, torn []string) error {
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
func (f *File) lock(ctx context.Context, folder disk.Small) (unlock func() error, err error) {
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
