package redisnkv

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sre-go/sre/access"
	"github.com/sre-go/sre/subsystem/io/nkv"
	"github.com/sre-go/sre/value"
)

// A value lies where the reference has it, under "smyth:cache:team_<team>:<namespace>:<key>". A ":" of a namespace is
// written "%3A" and a "%" of one "%25", so that the first ":" ends it and no namespace is the beginning of another one;
// the reference does not do that, and so takes a value of the namespace "a:b" for one of "a". Values that it wrote into
// namespaces with such characters are not found.
//
// What we write is a record: a checksum over address and value, and the value as JSON. The reference writes the text of the
// value only, and beside it, under "smyth:metadata:", an object with the rights; such values are read where they lie.
// Beside a record there is an empty text, or nothing: one command writes both, so that what stood there before is gone in the
// same step, and costs Redis a sixth of a script that removes it. A key beside which the cache of this runtime keeps a label is
// one of the cache.
const (
	magic      = "SREN1 "
	labelMagic = "SRE1 " // how labels of the cache begin
	sumLength  = 32
)

// keysOf returns the keys of the value and of what stands beside it.
func (s *store) keysOf(at nkv.Address) []string {
	name := nameOf(at)
	return []string{s.prefix + valuePrefix + name, s.prefix + besidePrefix + name}
}

const (
	valuePrefix  = "smyth:cache:"
	besidePrefix = "smyth:metadata:"
)

func nameOf(at nkv.Address) string { return spaceOf(at) + at.Key }

// spaceOf is what the names of a namespace begin with.
func spaceOf(at nkv.Address) string {
	namespace := at.Namespace
	if strings.ContainsAny(namespace, "%:") {
		namespace = strings.ReplaceAll(strings.ReplaceAll(namespace, "%", "%25"), ":", "%3A")
	}
	return "team_" + at.Team + ":" + namespace + ":"
}

// encode writes the record of a value.
func encode(at nkv.Address, v value.Value) (string, error) {
	text, err := value.Encode(v, nkv.StoredLimits())
	if err != nil {
		return "", err
	}
	return magic + sum(at, text) + "\n" + text, nil
}

// sum is the checksum of a value at its place. It finds damage, not forgery: who can write here can change anything.
func sum(at nkv.Address, text string) string {
	var small [512]byte
	all := small[:0]
	if size := len(at.Team) + len(at.Namespace) + len(at.Key) + len(text) + 80; size > len(small) {
		all = make([]byte, 0, size)
	}
	for _, part := range []string{at.Team, at.Namespace, at.Key, text} {
		all = append(append(strconv.AppendInt(all, int64(len(part)), 10), ' '), part...)
	}
	digest := sha256.Sum256(all)
	return hex.EncodeToString(digest[:sumLength/2])
}

// decode reads what is stored at an address; beside is what stands beside it, "" for nothing. What is the cache's is
// [nkv.Missing], what cannot be understood [nkv.Damaged].
func decode(at nkv.Address, text, beside string) (value.Value, error) {
	if strings.HasPrefix(beside, labelMagic) {
		return value.Value{}, nkv.Missing()
	}
	if beside != "" {
		return decodeOld(at, text, beside)
	}
	body, ok := strings.CutPrefix(text, magic)
	if !ok || len(body) <= sumLength || body[sumLength] != '\n' {
		return value.Value{}, nkv.Damaged(at, "it is no record")
	}
	stored, body := body[:sumLength], body[sumLength+1:]
	if sum(at, body) != stored {
		return value.Value{}, nkv.Damaged(at, "the checksum does not match")
	}
	v, err := value.Decode(body, nkv.StoredLimits())
	if err != nil {
		return value.Value{}, nkv.Damaged(at, "%w", err)
	}
	return v, nil
}

// maxBeside bounds what the reference wrote beside a value, in bytes.
const maxBeside = 1 << 20

// decodeOld reads a value of the reference: its text, when the rights beside it say that the team owns it.
func decodeOld(at nkv.Address, text, beside string) (value.Value, error) {
	v, err := value.Decode(beside, value.Limits{Bytes: maxBeside, Depth: 100})
	if err != nil {
		return value.Value{}, nkv.Damaged(at, "what stands beside it: %w", err)
	}
	stored, _ := v.Get("acl").Str()
	acl, err := access.ParseACL(stored)
	if err != nil {
		return value.Value{}, nkv.Damaged(at, "rights of the reference: %w", err)
	}
	team, err := access.Team(at.Team)
	if err != nil || acl.Rights(team)&access.RightOwner == 0 {
		return value.Value{}, nkv.Damaged(at, "by the rights of the reference it is not the team's")
	}
	if strings.HasPrefix(text, magic) || len(text) > nkv.MaxValueBytes || !utf8.ValidString(text) {
		return value.Value{}, nkv.Damaged(at, "it is no text of the reference")
	}
	return value.Of(text), nil
}
