package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sre-go/sre/value"
)

// Entry is one record: who did, or wanted to do, what with which resource, and which rule allowed or refused it. It is
// plain data and holds no secret values.
type Entry struct {
	Seq       uint64 // 1 for the first record, and one more for each
	Time      time.Time
	Who       string // "agent:a1"; "" for the audit itself, and when nobody is known
	Team      string
	Operation string // "vault.get"; those that begin with "audit." tell of the audit itself
	Level     string // "read", "write" or "owner"
	Resource  string
	Rule      string
	Allowed   bool
	Run       string // id of the run, "" outside of runs
	Prev      string // hash of the record before
	Hash      string // of this record: SHA-256 over its line up to here, in hexadecimal
}

// Operations of records that the audit writes about itself. Their resource says what was found.
const (
	opTorn    = "audit.torn"    // the last line was cut off in a crash; what there was of it is kept in a file of its own
	opGap     = "audit.gap"     // records that were there are gone
	opDamaged = "audit.damaged" // the last record is not what was written
	opLost    = "audit.lost"    // refusals could not be recorded for a while
	opRetired = "audit.retired" // the oldest file was removed, as configured; the resource names its last record and hash
)

// zero is what the first record follows.
const zero = "0000000000000000000000000000000000000000000000000000000000000000"

const (
	maxText = 512         // bytes of a text in a record
	maxLine = 64 << 10    // bytes of a line; none that was written is near
	hashKey = `,"hash":"` // begins the last member of a line
	ending  = `"}`        // ends it
)

// timeForm is RFC 3339 in UTC with microseconds, always of the same length.
const timeForm = "2006-01-02T15:04:05.000000Z"

// seal sets the hash and returns the line with its end. The line is one JSON object with its members in this order, and
// the hash is over the bytes before the member "hash".
func (e *Entry) seal() []byte {
	b := make([]byte, 0, 512)
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, e.Seq, 10)
	for _, m := range []struct{ name, text string }{
		{"time", e.Time.UTC().Format(timeForm)}, {"who", e.Who}, {"team", e.Team}, {"operation", e.Operation}, {"level", e.Level},
		{"resource", e.Resource}, {"rule", e.Rule},
	} {
		b = member(b, m.name, m.text)
	}
	b = append(b, `,"allowed":`...)
	b = strconv.AppendBool(b, e.Allowed)
	b = member(member(b, "run", e.Run), "prev", e.Prev)
	e.Hash = digest(b)
	b = append(b, hashKey...)
	b = append(b, e.Hash...)
	b = append(b, ending...)
	return append(b, '\n')
}

func member(b []byte, name, text string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return value.Of(text).Append(b)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// errChanged says that a line is not what was written.
var errChanged = errors.New("the record was changed: its hash does not fit")

// parse reads a line without its end, and checks its hash.
func parse(line []byte) (Entry, error) {
	cut := len(line) - len(hashKey) - len(zero) - len(ending)
	if cut < 0 || string(line[cut:cut+len(hashKey)]) != hashKey || string(line[len(line)-len(ending):]) != ending {
		return Entry{}, errors.New("this is no record")
	}
	hash := string(line[cut+len(hashKey) : len(line)-len(ending)])
	if digest(line[:cut]) != hash {
		return Entry{}, errChanged
	}
	v, err := value.Decode(line, value.DefaultLimits())
	if err != nil {
		return Entry{}, err
	}
	seq, _ := v.Get("seq").Num()
	allowed, _ := v.Get("allowed").Boolean()
	e := Entry{
		Seq: uint64(max(seq, 0)), Who: v.GetString("who"), Team: v.GetString("team"), Operation: v.GetString("operation"), Level: v.GetString("level"),
		Resource: v.GetString("resource"), Rule: v.GetString("rule"), Allowed: allowed, Run: v.GetString("run"), Prev: v.GetString("prev"), Hash: hash,
	}
	if e.Time, err = time.Parse(timeForm, v.GetString("time")); err != nil {
		return Entry{}, errors.New("the record has no time")
	}
	return e, nil
}

// clip shortens a text that may be as long as a caller likes.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText - len("…")
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// Names of files in the folder of the audit.
const (
	headFile    = "head.json"
	reserveFile = "reserve"
	lockFile    = "lock"
	headLock    = "head.lock"
	filePrefix  = "audit-"
	fileSuffix  = ".jsonl"
	seqDigits   = 12
)

// nameOf returns the name of the file that begins with a record.
func nameOf(first uint64) string {
	digits := strconv.FormatUint(first, 10)
	return filePrefix + strings.Repeat("0", max(0, seqDigits-len(digits))) + digits + fileSuffix
}

// firstOf returns the record that a file begins with; ok is false for files of other names.
func firstOf(name string) (first uint64, ok bool) {
	digits, ok := strings.CutPrefix(name, filePrefix)
	if digits, ok2 := strings.CutSuffix(digits, fileSuffix); ok && ok2 {
		n, err := strconv.ParseUint(digits, 10, 53)
		return n, err == nil && n > 0 && nameOf(n) == name
	}
	return 0, false
}
