package audit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sre-go/sre/fault"
)

// Report is what a check of the chain found.
type Report struct {
	Records     int // that are good, from the first on
	Files       int
	First, Last uint64 // numbers of the first and of the last good record; 0 without any
	From, To    time.Time
	Head        string // hash of the last good record
	Notes       []Entry
	Broken      *Broken // the first thing that is wrong, nil when nothing is
}

// Broken is the first place at which the chain does not hold.
type Broken struct {
	Place
	Why string
}

// String returns the place as "file:line".
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line)
}

func (b *Broken) Error() string { return b.Place.String() + ": " + b.Why }

// Verify walks the chain over all files: every line must be the record that was written, follow the one before, and none
// may be missing at either end. The report names the first that is not. The error is for what could not be read.
func (r *Reader) Verify() (Report, error) {
	before, headErr := readHead(folder{r.folder}) // first: records that come meanwhile are after it
	if headErr != nil && !fault.Is(headErr, fault.NotFound) && !fault.Is(headErr, fault.Invalid) {
		return Report{}, headErr
	}
	v := verifier{headSeq: before.seq}
	for l, err := range r.lines(0) {
		if err != nil {
			var f *fault.Error
			if errors.As(err, &f) && f.Op == "audit.read" {
				v.fail(l.at, "%v", f.Err)
				break
			}
			return v.report, err
		}
		if !v.line(l) {
			break
		}
	}
	if v.report.Broken == nil {
		v.ends(before, headErr)
	}
	return v.report, nil
}

// verifier is a walk under way.
type verifier struct {
	report  Report
	file    string
	prev    string // hash that the next record must name
	first   Entry
	headSeq uint64
	atHead  string // hash of the record that the head names
	retired []string
}

func (v *verifier) fail(at Place, format string, args ...any) bool {
	v.report.Broken = &Broken{at, fmt.Sprintf(format, args...)}
	return false
}

// line checks one line and reports whether to go on.
func (v *verifier) line(l line) bool {
	if l.torn {
		return v.fail(l.at, "the line is cut off; a runtime that starts sets it aside")
	}
	e, err := parse(l.text)
	if err != nil {
		return v.fail(l.at, "%v", err)
	}
	rep := &v.report
	switch {
	case rep.Records == 0:
		v.first = e
	case e.Seq <= rep.Last:
		return v.fail(l.at, "record %d comes after record %d: it was moved, or is there twice", e.Seq, rep.Last)
	case e.Seq != rep.Last+1:
		return v.fail(l.at, "record %d comes after record %d: those between them are missing", e.Seq, rep.Last)
	case e.Prev != v.prev:
		return v.fail(l.at, "record %d does not follow the one before it: its hash is another one", e.Seq)
	}
	if l.at.File != v.file {
		v.file = l.at.File
		rep.Files++
		if first, _ := firstOf(l.at.File); first != e.Seq {
			return v.fail(l.at, "the file begins with record %d, not with the one that it is named after", e.Seq)
		}
	}
	rep.Records++
	rep.Last, rep.To, rep.Head, v.prev = e.Seq, e.Time, e.Hash, e.Hash
	if strings.HasPrefix(e.Operation, "audit.") {
		rep.Notes = append(rep.Notes, e)
	}
	if e.Operation == opRetired {
		v.retired = append(v.retired, e.Resource)
	}
	if e.Seq == v.headSeq {
		v.atHead = e.Hash
	}
	return true
}

// ends checks that nothing is missing before the first record and after the last one.
func (v *verifier) ends(kept head, headErr error) {
	rep := &v.report
	at := Place{File: headFile}
	switch {
	case rep.Records == 0 && fault.Is(headErr, fault.NotFound):
		return // nothing was ever recorded
	case headErr != nil:
		v.fail(at, "it is missing or damaged, so nobody can tell whether records are missing at the end")
		return
	case kept.seq > rep.Last:
		v.fail(at, "record %d was there, and the last one now is %d: those after it are missing", kept.seq, rep.Last)
		return
	case rep.Records == 0:
		return
	}
	rep.First, rep.From = v.first.Seq, v.first.Time
	switch {
	case kept.seq >= rep.First && v.atHead != kept.hash:
		v.fail(at, "record %d is another one than was written", kept.seq)
	case v.first.Seq == 1 && v.first.Prev == zero:
	case !v.wasRetired(v.first.Seq-1, v.first.Prev):
		v.fail(Place{nameOf(v.first.Seq), 1}, "the records before %d are missing, and no record says that they were removed", v.first.Seq)
	}
}

// wasRetired reports whether a record tells that the file was removed that ended with this one.
func (v *verifier) wasRetired(seq uint64, hash string) bool {
	for _, r := range v.retired {
		if strings.HasSuffix(r, " "+strconv.FormatUint(seq, 10)+" "+hash) {
			return true
		}
	}
	return false
}
