package audit

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"

	"github.com/sre-go/sre/fault"
)

// tail is the end of the chain: where the next record goes and what it follows.
type tail struct {
	name string
	file file // nil when it must be looked for
	size int64
	head
}

// current reports whether nobody else has written since.
func (t *tail) current(s store) bool {
	if t.file == nil || !t.file.Current() {
		return false
	}
	size, err := t.file.Size()
	next := nameOf(t.seq + 1)
	return err == nil && size == t.size && (next == t.name || !s.exists(next))
}

// look finds the end of the chain in the folder, and says what is wrong with it. The caller holds the lock. known is the
// last record that was seen before.
func look(s store, known head) (t tail, notes []Entry, err error) {
	names, err := s.names()
	if err != nil {
		return tail{}, nil, err
	}
	kept, err := readHead(s)
	switch {
	case fault.Is(err, fault.NotFound) && len(names) == 0 && known.seq == 0: // the first record of all
		kept = head{0, zero}
		err = s.replace(headFile, kept.text())
	case fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid):
		notes = append(notes, Entry{Operation: opGap, Resource: headFile + " was missing or damaged"})
		kept, err = head{0, zero}, nil
	}
	if err != nil {
		return tail{}, nil, err
	}
	if known.seq > kept.seq {
		kept = known
	}
	t.head = head{0, zero}
	if len(names) == 0 {
		t.name = nameOf(kept.seq + 1)
	} else {
		t.name = names[len(names)-1]
	}
	if t.file, err = s.open(t.name); err != nil {
		return tail{}, nil, err
	}
	for i := len(names) - 1; i >= 0; i-- {
		more, found, err := t.end(s, names[i])
		notes = append(notes, more...)
		if err != nil {
			return tail{}, nil, first(err, t.file.Close())
		}
		if found {
			break
		}
	}
	switch {
	case kept.seq > t.seq:
		notes = append(notes, Entry{Operation: opGap, Resource: fmt.Sprintf("records %d to %d are missing", t.seq+1, kept.seq)})
		t.head = kept
	case kept.seq == t.seq && kept.hash != t.hash && !damaged(notes):
		notes = append(notes, Entry{Operation: opDamaged, Resource: fmt.Sprintf("record %d is not the one that was written", t.seq)})
	}
	if t.size, err = t.file.Size(); err != nil {
		return tail{}, nil, first(err, t.file.Close())
	}
	return t, notes, nil
}

// end takes the last record of a file for that of the chain; found is false when the file has none. A line that was cut
// off is set aside if it is in the file that is written to.
func (t *tail) end(s store, name string) (notes []Entry, found bool, err error) {
	f := t.file
	if name != t.name {
		if f, err = s.open(name); err != nil {
			return nil, false, err
		}
		defer func() { err = first(err, f.Close()) }()
	}
	text, err := f.Tail(maxLine)
	if err != nil {
		return nil, false, err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if torn := text[whole:]; len(torn) > 0 && name == t.name {
		size, err := f.Size()
		if err != nil {
			return nil, false, err
		}
		at := size - int64(len(torn))
		aside := "torn-" + name[:len(name)-len(fileSuffix)] + "-" + strconv.FormatInt(at, 10) + ".part"
		if err := s.replace(aside, torn); err != nil {
			return nil, false, err
		}
		if err := f.Cut(at); err != nil {
			return nil, false, err
		}
		notes = append(notes, Entry{Operation: opTorn, Resource: aside, Rule: strconv.Itoa(len(torn)) + " bytes"})
	}
	if whole == 0 {
		return notes, false, nil
	}
	line := text[:whole-1]
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	e, err := parse(line)
	if err != nil {
		t.head, err = guess(s, name)
		return append(notes, Entry{Operation: opDamaged, Resource: "the last line of " + name}), true, err
	}
	t.head = head{e.Seq, e.Hash}
	return notes, true, nil
}

func damaged(notes []Entry) bool {
	return slices.ContainsFunc(notes, func(e Entry) bool { return e.Operation == opDamaged })
}

// guess numbers the last line of a file that cannot be read.
func guess(s store, name string) (head, error) {
	first, _ := firstOf(name)
	text, err := s.read(name, maxRead)
	if err != nil {
		return head{}, err
	}
	return head{first + uint64(bytes.Count(text, []byte{'\n'})) - 1, zero}, nil
}

// maxRead bounds what is read of one file, in bytes: more than the largest size that a file can be configured to have.
const maxRead = 4 << 30
