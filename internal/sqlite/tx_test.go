package sqlite

import (
	"fmt"
	"sync"
	"testing"

	"github.com/sre-go/sre/fault"
)

// Statements of transactions are prepared once, whoever uses them, and one that is wrong spoils no other transaction.
func TestTx_PreparesStatements(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), things)
	const insert, sum = "INSERT INTO thing (name, size) VALUES (?, ?)", "SELECT sum(size) FROM thing"
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 20 {
				err := db.Write(t.Context(), func(tx *Tx) error {
					if _, err := tx.Exec(t.Context(), "INSERT INTO nothing VALUES (1)"); err == nil {
						t.Error("a statement about no table gave no error")
					}
					if n, err := tx.Exec(t.Context(), insert, fmt.Sprint(w, "-", i), 1); err != nil || n != 1 {
						return fmt.Errorf("changed %d rows: %w", n, err)
					}
					var got int
					return tx.Row(t.Context(), sum, nil, &got)
				})
				if err != nil {
					t.Error(err)
				}
				if _, err := db.Exec(t.Context(), "UPDATE thing SET colour = 'blue' WHERE name = ?", fmt.Sprint(w, "-", i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var got int
	if err := db.Row(t.Context(), sum, nil, &got); err != nil || got != 160 {
		t.Errorf("sum = %d, %v, want 160", got, err)
	}
	ready := db.pools.write.tx.ready.Load()
	if ready == nil || len(*ready) != 2 || (*ready)[insert] == nil || (*ready)[sum] == nil {
		t.Errorf("prepared statements = %v, want those that work", ready)
	}
	err := db.Write(t.Context(), func(tx *Tx) error {
		return tx.Row(t.Context(), "SELECT size FROM thing WHERE name = 'none'", nil, &got)
	})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("Row of nothing = %v, want NOT_FOUND", err)
	}
}

// The number of statements that are kept is bounded, and those beyond it work.
func TestTx_ManyStatements(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir(), things)
	for round := range 3 {
		for i := range maxInTx + 20 {
			var got int
			err := db.Write(t.Context(), func(tx *Tx) error { return tx.Row(t.Context(), fmt.Sprint("SELECT ", i), nil, &got) })
			if err != nil || got != i {
				t.Errorf("round %d: SELECT %d = %d, %v", round, i, got, err)
			}
		}
	}
	if n := len(*db.pools.write.tx.ready.Load()); n > maxInTx {
		t.Errorf("%d statements are kept, want at most %d", n, maxInTx)
	}
}
