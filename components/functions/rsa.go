package functions

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"

	"github.com/sre-go/sre/component"
	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
	"github.com/sre-go/sre/value"
)

// signRSA signs with a private RSA key. Errors never tell anything of the key.
func signRSA(call *component.Call, s *signSettings, pemKey secret.Value, data value.Value) ([]byte, error) {
	newHash, id := hashNamed(or(s.HashType, "md5"))
	if newHash == nil {
		return nil, fault.Newf(fault.Invalid, "Invalid digest")
	}
	message, err := messageBytes(data)
	if err != nil {
		return nil, err
	}
	key, err := readKey(pemKey)
	if err != nil {
		return nil, err
	}
	h := newHash()
	h.Write(message)
	var signature []byte
	switch s.Padding {
	case "RSA_PKCS1_PSS_PADDING":
		opts := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto, Hash: id}
		if s.SaltLength == "RSA_PSS_SALTLEN_DIGEST" {
			opts.SaltLength = rsa.PSSSaltLengthEqualsHash
		}
		signature, err = rsa.SignPSS(randomness{call.Effects}, key, id, h.Sum(nil), opts)
	case "RSA_NO_PADDING", "RSA_PKCS1_OAEP_PADDING", "RSA_X931_PADDING", "RSA_SSLV23_PADDING":
		return nil, fault.Hint(fault.Newf(fault.Unsupported, "%s does not make signatures", s.Padding), "use RSA_PKCS1_PADDING or RSA_PKCS1_PSS_PADDING")
	default:
		signature, err = rsa.SignPKCS1v15(nil, key, id, h.Sum(nil))
	}
	if err != nil {
		return nil, fault.Newf(fault.Invalid, "sign with the RSA key: %w", err)
	}
	return signature, nil
}

// readKey reads a private RSA key in PEM form.
func readKey(text secret.Value) (*rsa.PrivateKey, error) {
	unusable := func(why string) error {
		return fault.Hint(fault.Newf(fault.Invalid, "%s", why), "key must be a private RSA key in PEM form without a passphrase")
	}
	block, _ := pem.Decode([]byte(text.Reveal()))
	if block == nil {
		return nil, unusable("the key is no PEM text")
	}
	switch block.Type {
	case "RSA PRIVATE KEY":
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
	case "PRIVATE KEY":
		if parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if key, ok := parsed.(*rsa.PrivateKey); ok {
				return key, nil
			}
			return nil, unusable("the key is of another kind than RSA")
		}
	default:
		return nil, unusable("the PEM text holds another thing than a private key")
	}
	return nil, unusable("the PEM text holds no key that can be read")
}

// randomness reads from the random bytes of a run.
type randomness struct{ effect.Source }

func (r randomness) Read(p []byte) (int, error) {
	r.Random(p)
	return len(p), nil
}
