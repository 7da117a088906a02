package sealed

import (
	"context"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
	"github.com/sre-go/sre/internal/livefile"
	"github.com/sre-go/sre/internal/vaultfile"
)

// Create makes an empty vault sealed by a new key pair, and its key file; or by the key file that is there already, which
// is never replaced. made says whether there is a new key. A vault that is there is [fault.Conflict]. c.Codec is not used.
func Create(ctx context.Context, c vaultfile.Config, key livefile.Place) (k Keys, made bool, err error) {
	err = withKeyFile(c, key, func(folder disk.Small) error {
		k, err = readKeys(key, c.Folders)
		switch {
		case err == nil && k.IsPassphrase():
			return fault.Hint(fault.Newf(fault.Conflict, "the key file %s holds a passphrase", key.Names[0]), "move it away, or name another key file")
		case err != nil && !fault.Is(err, fault.NotFound):
			return err
		case err != nil:
			if k, err = Generate(); err != nil {
				return err
			}
			made = true
			if err := absent(c); err != nil {
				return err
			}
			if err := folder.WriteAtomic(key.Names[0], []byte(k.Text().Reveal())); err != nil {
				return err
			}
		}
		c.Codec = With(k)
		return vaultfile.Create(ctx, c)
	})
	return k, made, err
}

// absent refuses a vault that is there, before a key is made for nothing.
func absent(c vaultfile.Config) error {
	_, err := c.Place.Read()
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return fault.Hint(fault.Newf(fault.Conflict, "the vault %s is there already, and its key file is not", c.Place.Names[0]), "put its key back, or move the vault away")
}

// Rotate seals the vault by a new key pair. The key file holds the old key and the new one until the vault has changed
// over, and the new one alone afterwards: whenever it is broken off, the key file opens the vault, and Rotate can be run
// again. It returns the fingerprints. c.Codec is not used.
func Rotate(ctx context.Context, c vaultfile.Config, key livefile.Place) (old, now string, err error) {
	err = withKeyFile(c, key, func(folder disk.Small) error {
		k, err := readKeys(key, c.Folders)
		if err != nil {
			return err
		}
		if k.IsPassphrase() {
			return fault.Hint(fault.Newf(fault.Unsupported, "the key file holds a passphrase"), "seal the vault by a new passphrase instead")
		}
		c.Codec = With(k)
		if _, err := vaultfile.Open(ctx, c); err != nil { // before anything is written
			return err
		}
		text, err := c.Place.Read()
		if err != nil {
			return err
		}
		if old, err = FingerprintOf(text); err != nil {
			return err
		}
		next, err := Generate()
		if err != nil {
			return err
		}
		now = next.Fingerprint()
		if err := folder.WriteAtomic(key.Names[0], []byte(k.with(next).Text().Reveal())); err != nil {
			return err
		}
		if err := vaultfile.Reseal(ctx, withCodec(c, k.with(next)), With(next)); err != nil {
			return err
		}
		return folder.WriteAtomic(key.Names[0], []byte(next.Text().Reveal()))
	})
	return old, now, err
}

func withCodec(c vaultfile.Config, k Keys) vaultfile.Config {
	c.Codec = With(k)
	return c
}

// withKeyFile does something while nobody else changes the key file.
func withKeyFile(c vaultfile.Config, key livefile.Place, do func(disk.Small) error) error {
	folders := c.Folders
	if folders == nil {
		folders = disk.OpenSmall
	}
	folder, err := folders(key.Dir, true)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }() // what was written is on the disk already
	unlock, err := folder.Lock(key.Names[0] + ".lock")
	if err != nil {
		return fault.Hint(err, "another program is changing the key: try again")
	}
	defer func() { _ = unlock() }() // ends with the process at the latest
	return do(folder)
}
