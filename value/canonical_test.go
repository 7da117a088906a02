package value

import "testing"

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"b":[{"d":1,"c":2}],"a":null}`, `{"a":null,"b":[{"c":2,"d":1}]}`} {
		v, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := v.Canonical(), `{"a":null,"b":[{"c":2,"d":1}]}`; got != want {
			t.Errorf("Canonical of %s = %s, want %s", text, got, want)
		}
		if v.JSON() != text {
			t.Errorf("Canonical changed the value to %s", v.JSON())
		}
	}
}
