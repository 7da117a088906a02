package audit

import "time"

// syncPause is how long a record may wait to be brought to the disk.
const syncPause = 100 * time.Millisecond

// opened opens the second handle on the file of tail. It is there before anything is written, so it hears of everything
// that goes wrong on the way to the disk.
func (l *Log) opened() error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	var err error
	l.flush, err = l.store.open(l.tail.name)
	return err
}

// forget closes both handles: the end of the chain is looked for again before the next record. The caller holds writing.
func (l *Log) forget() error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	var err error
	if l.tail.file != nil {
		err = l.tail.file.Close()
	}
	if l.flush != nil {
		err = first(err, l.flush.Close())
	}
	l.tail, l.flush = tail{}, nil
	return err
}

// flushLater makes sure that what was written is flushed soon. The caller holds writing.
func (l *Log) flushLater() {
	l.dirty = true
	if l.looping || l.until.Err() != nil {
		return
	}
	l.looping = true
	l.work.Go(l.loop)
}

// loop flushes as long as something is written, and ends when nothing is.
func (l *Log) loop() {
	for {
		stopped := l.options.Effects.Sleep(l.until, syncPause) != nil
		l.writing.Lock()
		if stopped || !l.dirty {
			l.looping = false
			l.writing.Unlock()
			return // Close flushes what is left
		}
		l.dirty = false
		at := l.tail.head
		l.syncing.Lock() // before the other is given back, so that the file stays open
		l.writing.Unlock()
		err := l.flushNow(at)
		l.syncing.Unlock()
		l.writing.Lock()
		if l.unsafe = err; err != nil {
			l.options.Log.Error("the audit was not brought to the disk", "error", err.Error())
		}
		l.writing.Unlock()
	}
}

// bring flushes what was written. The caller holds writing.
func (l *Log) bring() error {
	if !l.dirty {
		return l.unsafe
	}
	l.dirty = false
	l.syncing.Lock()
	defer l.syncing.Unlock()
	l.unsafe = l.flushNow(l.tail.head)
	return l.unsafe
}

// flushNow brings the file to the disk and then notes the head that is there. The caller holds syncing.
func (l *Log) flushNow(at head) error {
	if l.flush == nil {
		return nil
	}
	if err := l.flush.Sync(); err != nil {
		return err
	}
	return writeHead(l.store, at)
}
