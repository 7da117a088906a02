package rediscache

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/subsystem/memory/cache"
	"github.com/sre-go/sre/value"
)

// An entry is two texts. That of the value is JSON. The other one, the label, holds everything else:
//
//	SRE1 <generation> <expiry> <length of the ACL> <checksum of the value> <checksum of the label>\n<ACL><metadata>
//
// The expiry is in milliseconds since 1970, 0 for never. The metadata is JSON, or nothing. The checksum of the label is
// over the key and everything else in it, so a label is of use under its own key only, and a value beside its own label
// only. Checksums find damage, not forgery: who can write here can change anything.
const magic = "SRE1 "

// maxLabel bounds a label: the largest ACL, the largest metadata, and some room.
const maxLabel = 1<<20 + cache.MaxMetadataBytes + 4096

// label is what stands beside a value.
type label struct {
	generation string
	expires    int64
	acl        string
	metadata   string // "" for none
	value      string // checksum of the value
	old        bool   // the reference wrote it
}

// sum is the checksum of texts, each of which is told apart from the next.
func sum(texts ...string) string {
	var small [512]byte
	all, size := small[:0], 0
	for _, t := range texts {
		size += len(t) + 20
	}
	if size > len(small) {
		all = make([]byte, 0, size)
	}
	for _, t := range texts {
		all = append(append(strconv.AppendInt(all, int64(len(t)), 10), ' '), t...)
	}
	digest := sha256.Sum256(all)
	return hex.EncodeToString(digest[:16])
}

// encode writes a label for a key.
func (l label) encode(key string) string {
	head := magic + l.generation + " " + strconv.FormatInt(l.expires, 10) + " " + strconv.Itoa(len(l.acl)) + " " + l.value + " "
	body := l.acl + l.metadata
	return head + sum(key, head, body) + "\n" + body
}

// decodeLabel is the inverse of encode. What the reference wrote is read too.
func decodeLabel(key, text string) (label, error) {
	if len(text) > maxLabel {
		return label{}, cache.Damaged("the label of %q has %d bytes", key, len(text))
	}
	if !strings.HasPrefix(text, magic) {
		return decodeOld(key, text)
	}
	first, body, ok := strings.Cut(text, "\n")
	parts := strings.Split(first, " ")
	if !ok || len(parts) != 6 {
		return label{}, cache.Damaged("the label of %q is cut", key)
	}
	head := first[:len(first)-len(parts[5])]
	if sum(key, head, body) != parts[5] {
		return label{}, cache.Damaged("the checksum of the label of %q does not match", key)
	}
	expires, err := strconv.ParseInt(parts[2], 10, 64)
	n, nerr := strconv.Atoi(parts[3])
	if err != nil || nerr != nil || expires < 0 || n < 0 || n > len(body) || parts[1] == "" {
		return label{}, cache.Damaged("the label of %q makes no sense", key)
	}
	return label{generation: parts[1], expires: expires, acl: body[:n], metadata: body[n:], value: parts[4]}, nil
}

// ruling returns what the guard decides by.
func (l label) ruling(key string) (cache.Ruling, error) {
	acl, err := access.ParseACL(l.acl)
	if err != nil {
		return cache.Ruling{}, cache.Damaged("ACL of %q: %w", key, err)
	}
	return cache.Ruling{ACL: acl, Generation: l.generation}, nil
}

// entry returns what a reader gets, of a label and the text of its value.
func (l label) entry(key, text string) (cache.Entry, error) {
	e := cache.Entry{Expires: moment(l.expires)}
	var err error
	switch {
	case l.old:
		e.Value, err = oldValue(key, text)
	case sum(text) != l.value:
		return cache.Entry{}, cache.Damaged("the checksum of the value of %q does not match", key)
	default:
		if e.Value, err = value.Decode(text, cache.StoredLimits()); err != nil {
			err = cache.Damaged("value of %q: %w", key, err)
		}
	}
	if err != nil {
		return cache.Entry{}, err
	}
	if l.metadata != "" {
		if e.Metadata, err = value.Decode(l.metadata, cache.StoredLimits()); err != nil || !e.Metadata.IsObject() {
			return cache.Entry{}, cache.Damaged("the metadata of %q is no object", key)
		}
	}
	return e, nil
}

func (l label) gone(now int64) bool { return l.expires != 0 && l.expires <= now }

// encodeMetadata is "" for none.
func encodeMetadata(m value.Value) (string, error) {
	if m.IsNil() {
		return "", nil
	}
	return value.Encode(m, cache.StoredLimits())
}

// stamp turns an expiry into milliseconds since 1970, up to the next, 0 for never.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	return max(ms, 1)
}

// moment is the inverse of stamp.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// left is how long something that expires then has to live from now on, in milliseconds, for Redis, which removes it after
// that; 0 for ever.
func left(expires, now int64) int64 {
	if expires == 0 {
		return 0
	}
	return max(expires-now, 1)
}
