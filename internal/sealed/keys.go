// Package sealed keeps vault files under lock and key, in the format of age.
//
// A vault is sealed by a key pair whose secret half lies in a key file, or by a
// passphrase. The header of a sealed file says which key pair it was sealed by, so
// a wrong key is told from a damaged file, and it proves that the sealer held the
// secret half: the public half alone, which age asks for, would let anybody put
// another vault in place of ours. Changing a key for another never leaves a moment
// in which the key file does not open the vault.
package sealed

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"filippo.io/age"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/vaultfile"
	"github.com/sre-go/sre/secret"
)

// workFactor is the logarithm of what a guess at a passphrase costs: 128 MiB of memory and a fraction of a second.
const workFactor = 17

// maxWorkFactor bounds what a file may ask for.
const maxWorkFactor = 20

// Keys open a vault: one key pair or, while it is being changed for another, several; or one passphrase. The zero Keys
// open nothing. Keys are immutable and do not print.
type Keys struct {
	pairs      []pair // the newest last; it seals
	passphrase secret.Value
	work       int // 0 for workFactor
}

type pair struct{ identity *age.X25519Identity }

const pairPrefix = "AGE-SECRET-KEY-1"

// Generate returns a new key pair. Its randomness is that of the library.
func Generate() (Keys, error) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return Keys{}, fault.New(fault.Unavailable, err)
	}
	return Keys{pairs: []pair{{identity}}}, nil
}

// Parse reads a key file, with one key pair a line and comments that begin with "#", or a passphrase of one line. Its
// errors hold nothing of the text.
func Parse(text secret.Value) (Keys, error) {
	const hint = "give the text that begins with " + pairPrefix + ", or the passphrase"
	plain := strings.TrimSpace(text.Reveal())
	if plain == "" {
		return Keys{}, vaultfile.Unsafe(hint, "the key of the vault is empty")
	}
	if !strings.Contains(plain, pairPrefix) {
		if strings.ContainsAny(plain, "\r\n\x00") {
			return Keys{}, vaultfile.Unsafe(hint, "the key of the vault is neither a key nor a passphrase of one line")
		}
		return Keys{passphrase: secret.New(plain)}, nil
	}
	var k Keys
	for _, line := range strings.Split(plain, "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		identity, err := age.ParseX25519Identity(line)
		if err != nil {
			return Keys{}, vaultfile.Unsafe(hint, "the key of the vault is damaged")
		}
		k.pairs = append(k.pairs, pair{identity})
	}
	if len(k.pairs) == 0 {
		return Keys{}, vaultfile.Unsafe(hint, "the key of the vault is only a comment")
	}
	return k, nil
}

// Passphrase returns keys of a passphrase. One that can be guessed in a day is refused.
func Passphrase(phrase secret.Value) (Keys, error) {
	k, err := Parse(phrase)
	switch {
	case err != nil:
		return Keys{}, err
	case !k.IsPassphrase():
		return Keys{}, fault.Newf(fault.Invalid, "this is a key, not a passphrase")
	case len(k.passphrase.Reveal()) < minPassphrase:
		return Keys{}, fault.Hint(fault.Newf(fault.Invalid, "the passphrase is too short"), "take at least %d characters, such as five random words", minPassphrase)
	}
	return k, nil
}

// minPassphrase is the length of the shortest passphrase that seals a new vault, in bytes.
const minPassphrase = 12

// IsPassphrase reports whether the keys are a passphrase.
func (k Keys) IsPassphrase() bool { return !k.passphrase.IsZero() }

// IsZero reports whether there is no key.
func (k Keys) IsZero() bool { return len(k.pairs) == 0 && !k.IsPassphrase() }

// Fingerprint names the key that seals: twenty hexadecimal digits that say nothing of the key, "passphrase", or "".
func (k Keys) Fingerprint() string {
	if k.IsPassphrase() {
		return fingerprintOfPassphrase
	}
	if len(k.pairs) == 0 {
		return ""
	}
	return k.pairs[len(k.pairs)-1].fingerprint()
}

const fingerprintOfPassphrase = "passphrase"

func (p pair) fingerprint() string {
	sum := sha256.Sum256([]byte(p.identity.Recipient().String()))
	return hex.EncodeToString(sum[:10])
}

// with returns the keys and newer ones.
func (k Keys) with(newer Keys) Keys {
	return Keys{pairs: append(append([]pair(nil), k.pairs...), newer.pairs...)}
}

// Text is the content of a key file.
func (k Keys) Text() secret.Value {
	if k.IsPassphrase() {
		return secret.New(k.passphrase.Reveal() + "\n")
	}
	var b strings.Builder
	b.WriteString("# Key of an encrypted vault. Whoever has it can read the vault; without it nobody can.\n")
	for _, p := range k.pairs {
		b.WriteString("# " + p.fingerprint() + "\n" + p.identity.String() + "\n")
	}
	return secret.New(b.String())
}

// String hides the keys.
func (k Keys) String() string { return "key " + k.Fingerprint() }

// GoString hides the keys.
func (k Keys) GoString() string { return k.String() }
