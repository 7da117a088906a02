package rediscache

import (
	"crypto/sha1" //nolint:gosec // what Redis can compute too; it tells contents apart and protects nothing
	"encoding/hex"
	"unicode/utf8"

	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// The reference keeps the text of a value under the same key, and beside it an object with the ACL in its stored form
// under "acl" and the metadata as the other members. The expiry is that of the key. Such entries are read where they lie;
// one that is written becomes one of ours.

// decodeOld reads what the reference keeps beside a value. Its expiry is not in it.
func decodeOld(key, text string) (label, error) {
	v, err := value.Decode(text, value.Limits{Bytes: maxLabel, Depth: cache.StoredLimits().Depth})
	if err != nil || !v.IsObject() {
		return label{}, cache.Damaged("what stands beside the value of %q is neither ours nor of the reference", key)
	}
	acl, ok := v.Get("acl").Str()
	if !ok || acl == "" {
		return label{}, cache.Damaged("what the reference wrote beside the value of %q has no ACL", key)
	}
	l := label{generation: oldGeneration(text), acl: acl, old: true}
	if rest := v.Without("acl"); rest.Len() > 0 {
		l.metadata = rest.JSON()
	}
	return l, nil
}

// oldGeneration stands for an entry of the reference. It has none, but its content does, as the ACL is part of it.
func oldGeneration(text string) string {
	s := sha1.Sum([]byte(text)) //nolint:gosec // see above
	return "old-" + hex.EncodeToString(s[:])
}

// oldValue is the value of an entry of the reference: its text.
func oldValue(key, text string) (value.Value, error) {
	if len(text) > cache.MaxStoredBytes/6 { // a byte takes at most six when it is quoted
		return value.Value{}, cache.Damaged("the value of %q has %d bytes", key, len(text))
	}
	if !utf8.ValidString(text) {
		return value.Value{}, cache.Damaged("the value of %q is no text", key)
	}
	return value.Of(text), nil
}
