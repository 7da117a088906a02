package connector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sre-go/sre/effect"
	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

// clock is a source whose time the test moves.
type clock struct {
	effect.System
	now time.Time
}

func (c *clock) Now() time.Time { return c.now }

// shop opens bulbs with per-call settings and remembers them.
type shop struct {
	mu    sync.Mutex
	bulbs []*bulb
	clock *clock
}

func (s *shop) open(id string, settings value.Value) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch colour := settings.GetString("colour"); colour {
	case "none":
		return nil, errors.New("out of stock")
	case "stone":
		return "a stone", nil
	default:
		b := &bulb{colour: id + " " + colour}
		s.bulbs = append(s.bulbs, b)
		return b, nil
	}
}

// closed counts the bulbs that were closed, and fails the test for one that was closed twice.
func (s *shop) closed(t *testing.T) int {
	t.Helper()
	n := 0
	for _, b := range s.bulbs {
		n += b.closed
		if b.closed > 1 {
			t.Errorf("the bulb %q was closed %d times", b.colour, b.closed)
		}
	}
	return n
}

func newHouse(t *testing.T) (*shop, Instances[lamp]) {
	t.Helper()
	s := &shop{clock: &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	built, err := Build(lampKind(), Env{Effects: s.clock}, "", []Opened{{"a", &bulb{colour: "a"}}, {"b", &bulb{colour: "b"}}}, s.open)
	if err != nil {
		t.Fatal(err)
	}
	return s, built.(*house).lamps
}

func coloured(c string) value.Value { return value.Obj(value.M("colour", value.Of(c))) }

func TestWith(t *testing.T) {
	t.Parallel()
	_, in := newHouse(t)
	tests := []struct {
		name, id string
		settings value.Value
		want     string
		kind     fault.Kind
	}{
		{"default", "", value.Value{}, "a", 0},
		{"named", "b", value.Value{}, "b", 0},
		{"settings without a member", "b", value.Obj(), "b", 0},
		{"other settings", "b", coloured("red"), "b red", 0},
		{"other settings of the default", "", coloured("red"), "a red", 0},
		{"unknown", "c", value.Value{}, "", fault.NotFound},
		{"unknown with settings", "c", coloured("red"), "", fault.NotFound},
		{"opened as something else", "a", coloured("stone"), "", fault.Internal},
		{"not opened", "a", coloured("none"), "", fault.KindOf(errors.New("any"))},
	}
	for _, test := range tests {
		got, release, err := in.With(t.Context(), test.id, test.settings)
		release()
		switch {
		case test.want != "" && (err != nil || got.Colour() != test.want):
			t.Errorf("%s: With = %v, %v, want %s", test.name, got, err, test.want)
		case test.want == "" && (err == nil || fault.KindOf(err) != test.kind):
			t.Errorf("%s: With = %v, want an error of kind %v", test.name, err, test.kind)
		}
	}
	if _, _, err := (Instances[lamp]{Default: "a", ByID: map[string]lamp{"a": &bulb{}}}).With(t.Context(), "", coloured("red")); !fault.Is(err, fault.Unsupported) {
		t.Errorf("without an opener: %v, want %v", err, fault.Unsupported)
	}
}

func TestWith_SharesAndExpires(t *testing.T) {
	t.Parallel()
	shop, in := newHouse(t)
	with := func(colour string) lamp {
		t.Helper()
		l, release, err := in.With(t.Context(), "a", coloured(colour))
		release()
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	red, blue := with("red"), with("blue")
	shop.clock.now = shop.clock.now.Add(derivedTTL)
	if with("red") != red || len(shop.bulbs) != 2 {
		t.Errorf("equal settings do not share one connector: %d were opened", len(shop.bulbs))
	}
	shop.clock.now = shop.clock.now.Add(time.Second) // blue was used more than its time ago, red was not
	if with("red") != red || shop.closed(t) != 1 || blue.(*bulb).closed != 1 {
		t.Errorf("%d connectors were closed, want the one that nobody used for %s", shop.closed(t), derivedTTL)
	}
	if with("blue") == blue {
		t.Error("a closed connector was handed out again")
	}
	if err := in.Close(t.Context()); err != nil || shop.closed(t) != 3 {
		t.Errorf("Close: %v, %d connectors are closed, want 3", err, shop.closed(t))
	}
	if err := in.Close(t.Context()); err != nil || shop.closed(t) != 3 {
		t.Errorf("Close again: %v, %d connectors are closed, want 3", err, shop.closed(t))
	}
	if err := (Instances[lamp]{}).Close(t.Context()); err != nil {
		t.Errorf("Close of nothing: %v", err)
	}
}

// TestWith_Bounded: whatever callers ask for, only so many connectors are open.
func TestWith_Bounded(t *testing.T) {
	t.Parallel()
	shop, in := newHouse(t)
	for i := range 3 * derivedMax {
		_, release, err := in.With(t.Context(), "", coloured(fmt.Sprint(i)))
		release()
		if err != nil {
			t.Fatal(err)
		}
		if open := len(shop.bulbs) - shop.closed(t); open > derivedMax {
			t.Fatalf("after %d settings %d connectors are open, want at most %d", i+1, open, derivedMax)
		}
	}
	if got, want := shop.closed(t), 2*derivedMax; got != want {
		t.Errorf("%d connectors were closed, want %d", got, want)
	}
	if shop.bulbs[0].closed != 1 || shop.bulbs[3*derivedMax-1].closed != 0 {
		t.Error("not the oldest were closed")
	}
}

func TestClose_Errors(t *testing.T) {
	t.Parallel()
	shop, in := newHouse(t)
	for _, c := range []string{"red", "blue", "green"} {
		_, release, err := in.With(t.Context(), "", coloured(c))
		release()
		if err != nil {
			t.Fatal(err)
		}
	}
	first := errors.New("stuck")
	shop.bulbs[0].err, shop.bulbs[1].err = first, errors.New("stuck, too")
	if err := in.Close(t.Context()); !errors.Is(err, first) {
		t.Errorf("Close = %v, want the first error", err)
	}
	if got := shop.closed(t); got != 3 {
		t.Errorf("%d connectors were closed, want all 3 in spite of the error", got)
	}
}

func TestWith_Concurrent(t *testing.T) {
	t.Parallel()
	shop, in := newHouse(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				_, release, err := in.With(context.Background(), "", coloured(fmt.Sprint(i%4)))
				release()
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := len(shop.bulbs); got != 4 {
		t.Errorf("%d connectors were opened for 4 settings", got)
	}
}

func BenchmarkWith(b *testing.B) {
	s := &shop{clock: &clock{}}
	built, err := Build(lampKind(), Env{Effects: s.clock}, "", []Opened{{"a", &bulb{}}}, s.open)
	if err != nil {
		b.Fatal(err)
	}
	in, settings := built.(*house).lamps, coloured("red")
	b.ReportAllocs()
	for b.Loop() {
		_, release, err := in.With(b.Context(), "", settings)
		release()
		if err != nil {
			b.Fatal(err)
		}
	}
}

// TestWith_InUse: a connector that leaves the cache while somebody uses it is closed when it is given back.
func TestWith_InUse(t *testing.T) {
	t.Parallel()
	shop, in := newHouse(t)
	_, release, err := in.With(t.Context(), "a", coloured("red"))
	if err != nil {
		t.Fatal(err)
	}
	shop.clock.now = shop.clock.now.Add(2 * derivedTTL)
	_, other, err := in.With(t.Context(), "a", coloured("blue"))
	if err != nil {
		t.Fatal(err)
	}
	other()
	if err := in.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := shop.closed(t); n != 1 {
		t.Errorf("%d were closed with the service, want the one that nobody uses", n)
	}
	release()
	release()
	if n := shop.closed(t); n != 2 {
		t.Errorf("%d were closed after the last was given back, want both", n)
	}
	if _, _, err := in.With(t.Context(), "a", coloured("green")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("With() after Close: error = %v, want unavailable", err)
	}
}

// TestWith_Order: settings are equal whatever the order of their members.
func TestWith_Order(t *testing.T) {
	t.Parallel()
	shop, in := newHouse(t)
	deep := value.Obj(value.M("y", value.OfInt(1)), value.M("x", value.OfInt(2)))
	turned := value.Obj(value.M("x", value.OfInt(2)), value.M("y", value.OfInt(1)))
	for _, settings := range []value.Value{
		value.Obj(value.M("colour", value.Of("red")), value.M("more", deep)), value.Obj(value.M("more", turned), value.M("colour", value.Of("red"))),
	} {
		_, release, err := in.With(t.Context(), "a", settings)
		release()
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(shop.bulbs) != 1 {
		t.Errorf("%d connectors were opened, want one", len(shop.bulbs))
	}
}
