package openaillm

import (
	"errors"
	"strings"
	"testing"

	"github.com/sre-go/sre/fault"
)

func TestApart(t *testing.T) {
	t.Parallel()
	if got, err := apart(func() (int, error) { return 7, nil }); got != 7 || err != nil {
		t.Errorf("apart = %d, %v, want 7", got, err)
	}
	wrong := errors.New("wrong")
	if _, err := apart(func() (int, error) { return 0, wrong }); !errors.Is(err, wrong) {
		t.Errorf("apart = %v, want the error of the function", err)
	}
	_, err := apart(func() (int, error) { panic("deep") })
	if !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "deep") {
		t.Errorf("apart = %v, want an error that tells of the panic", err)
	}
}
