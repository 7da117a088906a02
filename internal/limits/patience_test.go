package limits

import (
	"testing"
	"time"
)

func TestRequestTime(t *testing.T) {
	t.Parallel()
	const otherwise = time.Minute
	for _, test := range []struct{ given, want time.Duration }{{time.Hour, time.Hour}, {time.Second, time.Second}, {0, otherwise}, {-1, otherwise}} {
		if got := RequestTimeOf(WithRequestTime(t.Context(), test.given), otherwise); got != test.want {
			t.Errorf("after WithRequestTime(%s) it is %s, want %s", test.given, got, test.want)
		}
	}
	if got := RequestTimeOf(t.Context(), otherwise); got != otherwise {
		t.Errorf("without it is %s, want %s", got, otherwise)
	}
}
