package llm

import "strings"

// Role is who speaks.
type Role string

// The roles. Results of tools are of the role Tool, whatever the provider calls it.
const (
	System    Role = "system"
	User      Role = "user"
	Assistant Role = "assistant"
	Tool      Role = "tool"
)

// Message is one contribution to a conversation.
type Message struct {
	Role    Role
	Content []Content
}

// Content is a piece of a message: [Text], [Thinking], [ToolCall], [ToolResult], [File] or [Image].
type Content interface{ isContent() }

// ToolResult is what a tool answered.
type ToolResult struct {
	CallID string
	Name   string // of the tool
	Text   string
	Failed bool
}

// File is something that a model looks at: an image, a document, a recording.
type File struct {
	MIME string
	Name string
	Data []byte
}

func (Text) isContent()       {}
func (Thinking) isContent()   {}
func (ToolCall) isContent()   {}
func (ToolResult) isContent() {}
func (File) isContent()       {}
func (Image) isContent()      {}

// Say returns a message of text.
func Say(role Role, text string) Message {
	return Message{Role: role, Content: []Content{Text{Text: text}}}
}

// Text returns the text of the message; pieces follow each other without anything between them.
func (m Message) Text() string {
	if len(m.Content) == 1 {
		if t, ok := m.Content[0].(Text); ok {
			return t.Text
		}
	}
	var b strings.Builder
	for _, c := range m.Content {
		if t, ok := c.(Text); ok {
			b.WriteString(t.Text)
		}
	}
	return b.String()
}
