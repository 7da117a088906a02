package hop

import (
	"encoding/hex"
	"errors"
	"sync"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

// File is the name of the key in a data folder. Runtimes that serve the same agents side by side are given copies of it.
const File = "hop.key"

const keyBytes = 32

// Key signs and verifies. It is safe for concurrent use.
type Key struct {
	folder  *disk.Folder // nil for a key that lives as long as the process
	effects effect.Source

	mu  sync.Mutex
	key []byte
}

// NewKey returns a key that lives as long as the process.
func NewKey(effects effect.Source) *Key { return &Key{effects: effects} }

// FileKey returns the key of a data folder. It is made when something is first signed; looking leaves no trace. Close
// gives the folder back.
func FileKey(dir string, effects effect.Source) *Key {
	return &Key{effects: effects, folder: disk.Later(dir)}
}

// Close gives back what the key holds open.
func (k *Key) Close() error {
	if k == nil || k.folder == nil {
		return nil
	}
	return k.folder.Close()
}

// get returns the key. Unless it is to be made, nil says that there is none yet.
func (k *Key) get(create bool) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.key != nil {
		return k.key, nil
	}
	key, err := k.read()
	if err != nil || key == nil && !create {
		return nil, err
	}
	if key == nil {
		if key, err = k.create(); err != nil {
			return nil, err
		}
	}
	k.key = key
	return key, nil
}

// read returns the key of the file, nil when there is none.
func (k *Key) read() ([]byte, error) {
	if k.folder == nil {
		return nil, nil
	}
	text, err := k.folder.Read(File, 2*keyBytes)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(string(text))
	if err != nil || len(key) != keyBytes {
		err := &fault.Error{Op: "hop.key", Resource: File, Kind: fault.Invalid, Err: errors.New("the file does not hold a key")}
		return nil, fault.Hint(err, "remove it: a new one is made")
	}
	return key, nil
}

// create makes a key. Of two processes that make one at once, one has the lock; the other asks again with its next
// request.
func (k *Key) create() ([]byte, error) {
	key := make([]byte, keyBytes)
	k.effects.Random(key)
	if k.folder == nil {
		return key, nil
	}
	lock, err := k.folder.Lock(File + ".lock")
	if err != nil {
		return nil, err
	}
	made, err := k.read()
	if err == nil && made == nil {
		made, err = key, k.folder.WriteAtomic(File, []byte(hex.EncodeToString(key)))
	}
	if err := errors.Join(err, lock.Unlock()); err != nil {
		return nil, err
	}
	return made, nil
}
