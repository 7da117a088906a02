package sealed

import (
	"crypto/sha256"
	"sync"

	"github.com/sre-go/sre/internal/vaultfile"
)

// codec opens and seals vault files with keys that it looks up each time, so that a changed key counts.
type codec struct {
	keys func() (Keys, error)

	mu     sync.Mutex
	failed [sha256.Size]byte // of the file and the keys that did not go together
	err    error
}

// NewCodec returns a codec over the keys that a function finds. The function is asked for each use.
func NewCodec(keys func() (Keys, error)) vaultfile.Codec { return &codec{keys: keys} }

// With returns a codec over keys that do not change.
func With(k Keys) vaultfile.Codec { return NewCodec(func() (Keys, error) { return k, nil }) }

// Open opens a file. A broken file is looked at again and again, and each try with a passphrase is made to cost, so what
// failed is not tried twice.
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
	known := c.err
	if sum != c.failed {
		known = nil
	}
	c.mu.Unlock()
	if known != nil {
		return nil, known
	}
	plain, err := k.Open(text)
	if err != nil {
		c.mu.Lock()
		c.failed, c.err = sum, err
		c.mu.Unlock()
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
