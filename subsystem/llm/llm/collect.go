package llm

import (
	"iter"
	"strings"
)

// Response is a whole answer.
type Response struct {
	Text     string
	Thinking []Thinking
	Calls    []ToolCall
	Images   []Image
	Usage    Usage
	Finish   Finish
}

// Collect reads a stream to its end. When it ends with an error, the response holds what came before.
func Collect(parts iter.Seq2[Part, error]) (*Response, error) {
	var (
		r       Response
		text    strings.Builder
		thought strings.Builder
		single  = true // the text came as one piece
		failure error
	)
	for p, err := range parts {
		if err != nil {
			failure = err
			break
		}
		switch p := p.(type) {
		case Text:
			if single && r.Text == "" && text.Len() == 0 {
				r.Text = p.Text // as it is, without a copy
				continue
			}
			if single {
				single = false
				text.WriteString(r.Text)
			}
			text.WriteString(p.Text)
		case Thinking:
			thought.WriteString(p.Text)
			if p.Signature != "" || p.Sealed != nil {
				r.Thinking = append(r.Thinking, Thinking{thought.String(), p.Signature, p.Sealed})
				thought.Reset()
			}
		case ToolCall:
			r.Calls = append(r.Calls, p)
		case Image:
			r.Images = append(r.Images, p)
		case Usage:
			r.Usage = p
		case Finish:
			r.Finish = p
		}
	}
	if !single {
		r.Text = text.String()
	}
	if thought.Len() > 0 {
		r.Thinking = append(r.Thinking, Thinking{Text: thought.String()})
	}
	return &r, failure
}

// Message returns the answer as a message of the assistant, to go on with.
func (r *Response) Message() Message {
	m := Message{Role: Assistant}
	for _, t := range r.Thinking {
		m.Content = append(m.Content, t)
	}
	if r.Text != "" {
		m.Content = append(m.Content, Text{r.Text})
	}
	for _, i := range r.Images {
		m.Content = append(m.Content, i)
	}
	for _, c := range r.Calls {
		m.Content = append(m.Content, c)
	}
	return m
}
