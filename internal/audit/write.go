package audit

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/internal/disk"
)

const (
	lockPatience = 2 * time.Second      // for another process that writes
	lockPause    = 2 * time.Millisecond // between two attempts
	restorePause = time.Second          // between two attempts to get the reserve back
	maxReserve   = 1 << 20              // bytes
)

// write writes a batch and says of each record whether it is written. The caller holds writing.
func (l *Log) write(b *batch) {
	if l.low {
		l.restore()
	}
	items := b.items
	if l.low {
		items = refuse(items, l.full())
	}
	err := l.try(items)
	if fault.CodeOf(err) == disk.CodeStorageFull && !l.low {
		l.useReserve(err)
		items = refuse(items, l.full())
		err = l.try(items)
	}
	if l.failed = err; err == nil {
		return
	}
	for _, it := range items {
		if it.err == nil && it.must {
			l.lost++
		}
		it.err = err
	}
	l.options.Log.Error("the audit was not written", "records", len(items), "error", err.Error())
}

func (l *Log) try(items []*item) error {
	if len(items) == 0 {
		return nil
	}
	return l.locked(func() error { return l.put(items) })
}

// refuse fails what is not a refusal and returns the rest.
func refuse(items []*item, err error) (rest []*item) {
	for _, it := range items {
		if it.must {
			rest = append(rest, it)
		} else {
			it.err = err
		}
	}
	return rest
}

// full is the error of secrets that are not handed out because there is no room to record it.
func (l *Log) full() error {
	return fault.Hint(fmt.Errorf("there is no room for the audit: %w", l.why), "free space on the disk of %s", l.options.Folder)
}

// locked does something while nobody else writes, here or in another process.
func (l *Log) locked(do func() error) (err error) {
	e := l.options.Effects
	var unlock func() error
	for start := e.Now(); ; {
		unlock, err = l.store.lock(lockFile)
		if err == nil {
			break
		}
		if !fault.Is(err, fault.Conflict) {
			return err
		}
		if e.Now().Sub(start) > lockPatience {
			return fault.Newf(fault.Unavailable, "another process holds the lock of the audit: %w", err)
		}
		if err := e.Sleep(context.Background(), lockPause); err != nil {
			return err
		}
	}
	return first(do(), unlock())
}

// put chains the records to those that are there and writes them in one piece.
func (l *Log) put(items []*item) error {
	if err := l.follow(); err != nil {
		return err
	}
	if l.low {
		items = refuse(items, l.full())
	}
	notes := slices.Clone(l.notes)
	if l.lost > 0 {
		notes = append(notes, Entry{Operation: opLost, Resource: strconv.Itoa(l.lost) + " refusals were not recorded"})
	}
	if len(items)+len(notes) == 0 {
		return nil
	}
	text, at := l.chain(notes, items)
	var retired []string
	if l.tail.size > 0 && l.tail.size+int64(len(text)) > l.options.MaxBytes {
		more, names, err := l.rotate()
		if err != nil {
			return err
		}
		retired = names
		text, at = l.chain(append(notes, more...), items)
	}
	if _, err := l.tail.file.Write(text); err != nil {
		return first(err, l.forget())
	}
	l.tail.size += int64(len(text))
	l.tail.head, l.known = at, at
	l.notes, l.lost = nil, 0
	l.flushLater()
	return l.retire(retired)
}

// chain returns the lines of records, and the head after them. Notes of the audit come first.
func (l *Log) chain(notes []Entry, items []*item) ([]byte, head) {
	at, now := l.tail.head, l.options.Effects.Now()
	var text []byte
	add := func(e *Entry) {
		e.Seq, e.Prev, e.Time = at.seq+1, at.hash, now
		text = append(text, e.seal()...)
		at = head{e.Seq, e.Hash}
	}
	for i := range notes {
		add(&notes[i])
	}
	for _, it := range items {
		add(&it.entry)
	}
	return text, at
}

// follow makes sure that tail is the end of the chain, also when others have written, and notes what is wrong with the
// end that it found.
func (l *Log) follow() error {
	if l.tail.current(l.store) && l.unsafe == nil {
		return nil
	}
	if err := l.forget(); err != nil {
		return err
	}
	found, notes, err := look(l.store, l.known)
	if err != nil {
		return err
	}
	l.tail = found
	if err := l.opened(); err != nil {
		return first(err, l.forget())
	}
	l.known, l.notes = found.head, append(l.notes, notes...)
	for _, n := range notes {
		l.options.Log.Error("the audit is not as it was left", "found", n.Operation, "what", n.Resource)
	}
	if !l.low && !l.store.exists(reserveFile) {
		l.tried = time.Time{}
		l.restore()
	}
	if l.unsafe == nil {
		return nil
	}
	l.dirty = true // nobody knows what of it is on the disk
	return l.bring()
}

// rotate begins another file. It returns a note for each old file that is to be removed, and their names.
func (l *Log) rotate() (notes []Entry, retired []string, err error) {
	if err := l.bring(); err != nil {
		return nil, nil, err
	}
	next := tail{name: nameOf(l.tail.seq + 1), head: l.tail.head}
	if err := l.forget(); err != nil {
		return nil, nil, err
	}
	if next.file, err = l.store.open(next.name); err != nil {
		return nil, nil, err
	}
	l.tail = next
	if err := l.opened(); err != nil {
		return nil, nil, first(err, l.forget())
	}
	names, err := l.store.names()
	if err != nil || l.options.MaxFiles == 0 {
		return nil, nil, err
	}
	for _, name := range names[:max(0, len(names)-max(l.options.MaxFiles, 2))] {
		var end tail
		if end.file, err = l.store.open(name); err != nil {
			return nil, nil, err
		}
		end.name = name
		if _, _, err := end.end(l.store, name); err != nil {
			return nil, nil, first(err, end.file.Close())
		}
		if err := end.file.Close(); err != nil {
			return nil, nil, err
		}
		retired = append(retired, name)
		notes = append(notes, Entry{Operation: opRetired, Resource: fmt.Sprintf("%s %d %s", name, end.seq, end.hash), Allowed: true})
	}
	return notes, retired, nil
}

// retire removes old files, after the records that tell of it are on the disk.
func (l *Log) retire(names []string) error {
	if len(names) == 0 {
		return nil
	}
	if err := l.bring(); err != nil {
		return err
	}
	for _, name := range names {
		if err := l.store.remove(name); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// useReserve gives the reserve up, so that refusals can be recorded for a while.
func (l *Log) useReserve(why error) {
	l.low, l.why, l.tried = true, why, l.options.Effects.Now()
	if err := l.store.remove(reserveFile); err != nil && !fault.Is(err, fault.NotFound) {
		l.options.Log.Error("the reserve of the audit could not be used", "error", err.Error())
	}
}

// restore tries to get the reserve back. When it can be written there is room again.
func (l *Log) restore() {
	now := l.options.Effects.Now()
	if !l.tried.IsZero() && now.Sub(l.tried) < restorePause {
		return
	}
	l.tried = now
	text := make([]byte, min(l.options.MaxBytes/5, maxReserve))
	l.options.Effects.Random(text) // so that no file system makes it smaller than it is
	l.why = l.store.replace(reserveFile, text)
	l.low = l.why != nil
	if fault.CodeOf(l.why) != disk.CodeStorageFull {
		l.tried = time.Time{} // it may be over the next time
	}
}

// first returns the first error: what went wrong, rather than what went wrong while cleaning up.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
