package sqlite

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/sre-go/sre/fault"
)

// A view shows one moment, whatever is written while it is open, and changes nothing.
func TestView(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), []string{"CREATE TABLE number (n INTEGER NOT NULL) STRICT"})
	add := func(n int) {
		t.Helper()
		if _, err := db.Exec(t.Context(), "INSERT INTO number VALUES (?)", n); err != nil {
			t.Fatal(err)
		}
	}
	add(1)
	for range 3 { // the statements are prepared the second time
		before := 0
		err := db.Read(t.Context(), func(v *View) error {
			if err := v.Row(t.Context(), "SELECT count(*) FROM number", nil, &before); err != nil {
				return err
			}
			add(before + 1)
			rows := 0
			for _, err := range v.Rows(t.Context(), "SELECT n FROM number") {
				if err != nil {
					return err
				}
				rows++
			}
			if rows != before {
				t.Errorf("the view shows %d rows, and %d before", rows, before)
			}
			for range v.Rows(t.Context(), "SELECT n FROM number") {
				break // which lets the rows go
			}
			return v.Row(t.Context(), "SELECT n FROM number WHERE n = -1", nil, &rows)
		})
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("Read = %v, want the error of its function", err)
		}
		after := 0
		if err := db.Row(t.Context(), "SELECT count(*) FROM number", nil, &after); err != nil || after != before+1 {
			t.Errorf("after the view there are %d rows (%v), want %d", after, err, before+1)
		}
	}
	var wg sync.WaitGroup
	for range 4 * readers { // more than there are connections
		wg.Go(func() {
			for range 20 {
				err := db.Read(t.Context(), func(v *View) error {
					n := 0
					return v.Row(t.Context(), "SELECT max(n) FROM number", nil, &n)
				})
				if err != nil {
					t.Errorf("Read = %v", err)
				}
			}
		})
	}
	wg.Wait()
	err := db.Read(t.Context(), func(v *View) error {
		for _, err := range v.Rows(t.Context(), "SELECT nothing FROM nowhere") {
			return err
		}
		return nil
	})
	if err == nil {
		t.Error("a query that cannot be is no error")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("gone"))
	if err := db.Read(ctx, func(*View) error { return nil }); err == nil {
		t.Error("Read after the caller has gone is no error")
	}
}
