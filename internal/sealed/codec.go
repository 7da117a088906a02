package sealed

import (
	"bytes"
	"crypto/sha256"
	"sync"

	"github.com/sre-go/sre/internal/vaultfile"
)

// codec opens and seals vault files with keys that it looks up each time, so that a changed key counts. It remembers
// what came of the last file: each try with a passphrase is made to cost, and a file is read again and again.
type codec struct {
	keys func() (Keys, error)

	mu    sync.Mutex
	sum   [sha256.Size]byte // of the file and the keys
	plain []byte            // kept for passphrases alone
	err   error
}

// NewCodec returns a codec over the keys that a function finds. The function is asked for each use.
func NewCodec(keys func() (Keys, error)) vaultfile.Codec { return &codec{keys: keys} }

// With returns a codec over keys that do not change.
func With(k Keys) vaultfile.Codec { return NewCodec(func() (Keys, error) { return k, nil }) }

// Open opens a file.
func (c *codec) Open(text []byte) ([]byte, error) {
	k, err := c.keys()
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write([]byte(k.Text().Reveal()))
	h.Write(text)
	sum := [sha256.Size]byte(h.Sum(nil))
	c.mu.Lock()
	defer c.mu.Unlock()
	if sum == c.sum && c.err != nil {
		return nil, c.err
	}
	if sum == c.sum && c.plain != nil {
		return bytes.Clone(c.plain), nil
	}
	plain, err := k.Open(text)
	c.sum, c.plain, c.err = sum, nil, err
	if err == nil && k.IsPassphrase() {
		c.plain = bytes.Clone(plain)
	}
	return plain, err
}

// Seal seals a file by the newest key.
func (c *codec) Seal(plain []byte) ([]byte, error) {
	k, err := c.keys()
	if err != nil {
		return nil, err
	}
	return k.Seal(plain)
}
