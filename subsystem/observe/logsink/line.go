package logsink

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sre-go/sre/value"
)

// people prints a line such as
//
//	12:00:01.234 INFO  agent loaded agent=hello steps=3
func (h *handler) people(r slog.Record, fields []field) []byte {
	var b strings.Builder
	if !r.Time.IsZero() {
		b.WriteString(h.colour(dim, r.Time.Format("15:04:05.000")))
		b.WriteByte(' ')
	}
	level := fmt.Sprintf("%-5s", r.Level)
	b.WriteString(h.colour(colourOf(r.Level), level))
	b.WriteByte(' ')
	b.WriteString(printable(r.Message))
	for _, f := range fields {
		b.WriteByte(' ')
		b.WriteString(h.colour(dim, printable(f.name)+"="))
		b.WriteString(quote(text(f.value)))
	}
	out := cut(b.String(), h.options.Line)
	if h.options.Colour && len(out) < b.Len() {
		out += reset // what was cut may have been coloured
	}
	return append([]byte(out), '\n')
}

// machines prints a line of JSON. When it is too long its fields are cut, so that it stays JSON.
func (h *handler) machines(r slog.Record, fields []field) []byte {
	head := value.NewBuilder(len(fields) + 4)
	if !r.Time.IsZero() {
		head.Set("time", value.Of(stamp(r.Time)))
	}
	head.Set("level", value.Of(r.Level.String())).Set("msg", value.Of(cut(r.Message, h.options.Line/4)))
	left := h.options.Line - len(encode(head.Build())) - len(`,"cut":true`)
	for _, f := range fields {
		v := data(f.value)
		need := size(f.name, v)
		if need > left {
			head.Set("cut", value.OfBool(true))
			v = value.Of(cut(text(f.value), max(left/2, 0)/6)) // a byte is six at most in JSON
			if need = size(f.name, v); need > left {
				continue
			}
		}
		left -= need
		head.Set(f.name, v)
	}
	return append([]byte(encode(head.Build())), '\n')
}

// size is how many bytes a member takes.
func size(name string, v value.Value) int {
	return len(encode(value.Of(name))) + len(encode(v)) + len(`:,`)
}

// encode returns JSON without characters that a terminal or a reader of lines could act on.
func encode(v value.Value) string {
	s := v.JSON()
	if strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// data is an attribute as JSON.
func data(v slog.Value) value.Value {
	switch v.Kind() {
	case slog.KindBool:
		return value.OfBool(v.Bool())
	case slog.KindInt64:
		return value.OfNumber(float64(v.Int64()))
	case slog.KindUint64:
		return value.OfNumber(float64(v.Uint64()))
	case slog.KindFloat64:
		return value.OfNumber(v.Float64())
	case slog.KindAny:
		if js, ok := v.Any().(value.Value); ok {
			return Redact(js)
		}
	}
	return value.Of(text(v))
}

// text is an attribute as text.
func text(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return stamp(v.Time())
	case slog.KindDuration:
		return v.Duration().Round(time.Microsecond).String()
	case slog.KindAny:
		switch x := v.Any().(type) {
		case value.Value:
			return Redact(x).Plain()
		case error:
			return x.Error()
		}
	}
	return v.String()
}

// quote puts a text into quotes when it would be read as more than one word.
func quote(s string) string {
	if s == "" || strings.ContainsAny(s, " \"=") || printable(s) != s {
		return strconv.Quote(s)
	}
	return s
}

// printable replaces what a terminal would act on, and what would look like another line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// cut returns at most n bytes of a text, in whole characters; what was cut ends in "...".
func cut(s string, n int) string {
	const end = "..."
	if len(s) <= n {
		return s
	}
	n = max(n-len(end), 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + end
}

// The codes of colours on a terminal.
const (
	reset  = "\x1b[0m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	yellow = "\x1b[33m"
	green  = "\x1b[32m"
	blue   = "\x1b[34m"
)

func colourOf(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return red
	case l >= slog.LevelWarn:
		return yellow
	case l >= slog.LevelInfo:
		return green
	}
	return blue
}

func (h *handler) colour(code, s string) string {
	if !h.options.Colour {
		return s
	}
	return code + s + reset
}
