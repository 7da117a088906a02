package infer

import (
	"testing"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/value"
)

func TestConvert_Date(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{ // want "" for no date
		{"day", "2024-01-02", "2024-01-02T00:00:00.000Z"},
		{"slashes", "2024/1/2 3:4", "2024-01-02T03:04:00.000Z"},
		{"parts overflow", "2024-13-45", "2025-02-14T00:00:00.000Z"},
		{"parts underflow", "2024-00-00", "2023-11-30T00:00:00.000Z"},
		{"two-digit year in four", "0099-01-01", "1999-01-01T00:00:00.000Z"},
		{"plain milliseconds are a count", "2024-01-02 10:11:12.5", "2024-01-02T10:11:12.005Z"},
		{"ISO milliseconds are a fraction", "2024-01-02T10:11:12.3Z", "2024-01-02T10:11:12.300Z"},
		{"offset", "2024-01-02T10:11:12-05:30", "2024-01-02T15:41:12.000Z"},
		{"day rolls over", "2024-02-30T10:00:00+02:00", "2024-03-01T08:00:00.000Z"},
		{"small letters", "2024-01-02t10:11:12z", "2024-01-02T10:11:12.000Z"},
		{"hour 24", "2024-01-02T24:00:00Z", "2024-01-03T00:00:00.000Z"},
		{"hour 25", "2024-01-02T25:00:00Z", ""},
		{"month 13 in UTC", "2024-13-01T00:00:00Z", ""},
		{"late year", "+012024-01-02T00:00:00Z", "+012024-01-02T00:00:00.000Z"},
		{"year before 0", "-000001-01-01T00:00:00Z", "-000001-01-01T00:00:00.000Z"},
		{"month name", "January 5, 2024", "2024-01-05T00:00:00.000Z"},
		{"day first", "5 Jan 2024", "2024-01-05T00:00:00.000Z"},
		{"misspelt month", "Janury 5 2024", "2024-01-05T00:00:00.000Z"},
		{"glued", "5Jan2024", "2024-01-05T00:00:00.000Z"},
		{"mail header", "Fri, 05 Jan 2024 10:11:12 +0200", "2024-01-05T08:11:12.000Z"},
		{"remark", "Fri Jan 05 2024 10:11:12 GMT+0200 (CEST)", "2024-01-05T08:11:12.000Z"},
		{"American zone", "Jan 5, 2024 10:11:12 PST", "2024-01-05T18:11:12.000Z"},
		{"American summer zone", "Jan 5, 2024 10:11:12 EDT", "2024-01-05T14:11:12.000Z"},
		{"other zone", "Jan 5, 2024 10:11:12 CET", ""},
		{"short offset", "Jan 5 2024 UTC+1", "2024-01-04T23:00:00.000Z"},
		{"afternoon", "Jan 5, 2024 10:11 PM", "2024-01-05T22:11:00.000Z"},
		{"midnight", "Jan 5, 2024 12:00 AM", "2024-01-05T00:00:00.000Z"},
		{"13 PM", "Jan 5, 2024 13:00 PM", ""},
		{"glued PM", "Jan 5, 2024 10:11PM", ""},
		{"fraction", "Jan 5 2024 10:11:12.123456", "2024-01-05T10:11:12.123Z"},
		{"month first", "12/25/2024", "2024-12-25T00:00:00.000Z"},
		{"day first in numbers", "25/12/2024", ""},
		{"short years", "1/2/49", "2049-01-02T00:00:00.000Z"},
		{"short years of the last century", "1/2/50", "1950-01-02T00:00:00.000Z"},
		{"dots", "12.25.2024", "2024-12-25T00:00:00.000Z"},
		{"no year", "Jan 5", "2001-01-05T00:00:00.000Z"},
		{"no day", "Jan 2024", "2024-01-01T00:00:00.000Z"},
		{"word before a number", "test 1", "2001-01-01T00:00:00.000Z"},
		{"version", "v1.2", ""},
		{"word after a number", "1 apple", ""},
		{"word", "tomorrow", ""},
		{"clock alone", "12:30", ""},
		{"milliseconds", "1700000000000", "2023-11-14T22:13:20.000Z"},
		{"hexadecimal milliseconds", "0x10", "1970-01-01T00:00:00.016Z"},
		{"last moment", "8640000000000000", "+275760-09-13T00:00:00.000Z"},
		{"after the last moment", "8640000000000001", ""},
		{"year after the last moment", "Jan 1 275761", ""},
		{"endless number", "1e400", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Date.Convert(value.Of(test.in))
			if test.want == "" {
				if !fault.Is(err, fault.Invalid) || err.Error() != badDate {
					t.Errorf("Convert(%q) = %s, %v; want %q", test.in, got.JSON(), err, badDate)
				}
				return
			}
			if s, _ := got.Str(); err != nil || s != test.want {
				t.Errorf("Convert(%q) = %s, %v; want %q", test.in, got.JSON(), err, test.want)
			}
		})
	}
}

// FuzzDate checks that a date that was read prints as one that reads as itself.
func FuzzDate(f *testing.F) {
	for _, s := range []string{"2024-01-02", "Fri, 05 Jan 2024 10:11:12 GMT+0200", "1/2/49", "-271821-04-20T00:00:00Z", "12:30 PM", "0x", "(", "1e9", "+5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, err := Date.Convert(value.Of(s))
		if err != nil {
			return
		}
		second, err := Date.Convert(first)
		if err != nil || !value.Equal(first, second) {
			t.Errorf("Convert(%q) = %s, but that converts to %s, %v", s, first.JSON(), second.JSON(), err)
		}
	})
}

func BenchmarkConvert_Date(b *testing.B) {
	for _, s := range []string{"2024-01-02", "2024-01-02T10:11:12Z", "Fri, 05 Jan 2024 10:11:12 GMT"} {
		b.Run(s, func(b *testing.B) {
			v := value.Of(s)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Date.Convert(v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
