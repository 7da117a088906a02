package sealed

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"

	"filippo.io/age"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/vaultfile"
)

// Names in the header of a sealed file.
const (
	stanza         = "sre-vault" // ours: the fingerprint, and the proof
	scryptStanza   = "scrypt"    // of age: the file is sealed by a passphrase
	proofSeparator = "sre vault: sealed by the holder of this key"
)

// Seal seals a text.
func (k Keys) Seal(plain []byte) ([]byte, error) {
	to, err := k.recipient()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fault.Newf(fault.Internal, "seal the vault: %w", err)
	}
	return out.Bytes(), nil
}

func (k Keys) recipient() (age.Recipient, error) {
	if k.IsPassphrase() {
		r, err := age.NewScryptRecipient(k.passphrase.Reveal())
		if err != nil {
			return nil, fault.New(fault.Internal, err)
		}
		if k.work == 0 {
			k.work = workFactor
		}
		r.SetWorkFactor(k.work)
		return r, nil
	}
	if len(k.pairs) == 0 {
		return nil, errNoKey()
	}
	return k.pairs[len(k.pairs)-1], nil
}

// Wrap lets a key pair seal: for its public half, with a proof that its secret half was there.
func (p pair) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	wrapped, err := p.identity.Recipient().Wrap(fileKey)
	if err != nil {
		return nil, err
	}
	return append(wrapped, &age.Stanza{Type: stanza, Args: []string{p.fingerprint()}, Body: p.proof(fileKey)}), nil
}

// proof ties the key of one file to the secret half.
func (p pair) proof(fileKey []byte) []byte {
	m := hmac.New(sha256.New, []byte(p.identity.String()))
	m.Write([]byte(proofSeparator))
	m.Write(fileKey)
	return m.Sum(nil)
}

// Open opens what Seal gave. A wrong key, and a file that was damaged, cut off or put there by somebody without the key,
// are [vaultfile.CodeUnsafe].
func (k Keys) Open(text []byte) ([]byte, error) {
	if k.IsZero() {
		return nil, errNoKey()
	}
	o := &opener{keys: k}
	r, err := age.Decrypt(bytes.NewReader(text), o)
	if o.err != nil {
		return nil, o.err
	}
	if err != nil {
		return nil, errDamaged()
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(len(text)))) // it is shorter than the text
	if err != nil {
		return nil, errDamaged()
	}
	return plain, nil
}

// opener finds the key of a file and remembers why there is none.
type opener struct {
	keys Keys
	err  error
}

var errClosed = errors.New("does not open")

// Unwrap returns the key of the file.
func (o *opener) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	key, err := o.unwrap(stanzas)
	if err != nil {
		o.err = err
		return nil, errClosed
	}
	return key, nil
}

func (o *opener) unwrap(stanzas []*age.Stanza) ([]byte, error) {
	made, proof := sealer(stanzas)
	switch {
	case made == "":
		return nil, vaultfile.Unsafe("restore it from a copy; keys from elsewhere come in by sre vault import", "the vault file was not sealed by this program")
	case made == fingerprintOfPassphrase && !o.keys.IsPassphrase():
		return nil, vaultfile.Unsafe("give the passphrase", "the vault is sealed by a passphrase, and the key given is %s", o.keys.Fingerprint())
	case made == fingerprintOfPassphrase:
		return o.byPassphrase(stanzas)
	}
	for _, p := range o.keys.pairs {
		if p.fingerprint() != made {
			continue
		}
		key, err := p.identity.Unwrap(stanzas)
		if err != nil || !hmac.Equal(proof, p.proof(key)) {
			return nil, errDamaged()
		}
		return key, nil
	}
	return nil, vaultfile.Unsafe("give the key of that fingerprint; look for it among your copies", "the vault is sealed by key %s, and the key given is %s", made, o.keys.Fingerprint())
}

func (o *opener) byPassphrase(stanzas []*age.Stanza) ([]byte, error) {
	id, err := age.NewScryptIdentity(o.keys.passphrase.Reveal())
	if err != nil {
		return nil, errNoKey()
	}
	id.SetMaxWorkFactor(maxWorkFactor)
	key, err := id.Unwrap(stanzas)
	switch {
	case errors.Is(err, age.ErrIncorrectIdentity):
		return nil, vaultfile.Unsafe("give the passphrase that the vault was sealed by", "the passphrase is wrong, or the vault file is damaged")
	case err != nil:
		return nil, errDamaged()
	}
	return key, nil
}

// sealer returns the fingerprint in a header, "" when there is none, and the proof beside it.
func sealer(stanzas []*age.Stanza) (fingerprint string, proof []byte) {
	for _, s := range stanzas {
		switch {
		case s.Type == scryptStanza:
			return fingerprintOfPassphrase, nil
		case s.Type == stanza && len(s.Args) == 1:
			fingerprint, proof = s.Args[0], s.Body
		}
	}
	return fingerprint, proof
}

// FingerprintOf returns the fingerprint of the key that a file was sealed by, as its header says; it needs no key, and
// proves nothing.
func FingerprintOf(text []byte) (string, error) {
	var r reader
	if _, err := age.Decrypt(bytes.NewReader(text), &r); err == nil || r.fingerprint == "" {
		return "", errDamaged()
	}
	return r.fingerprint, nil
}

// reader reads a header and opens nothing.
type reader struct{ fingerprint string }

func (r *reader) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	r.fingerprint, _ = sealer(stanzas)
	return nil, errClosed
}

func errDamaged() error {
	return vaultfile.Unsafe("restore the file from a copy", "the vault file is damaged: it was cut off or changed")
}

func errNoKey() error {
	return vaultfile.Unsafe("name the key in the settings keyFile or keyEnv", "there is no key for the vault")
}
