package bedrockllm

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/subsystem/llm/llm"
	"github.com/sre-go/sre/value"
)

// conversation writes messages, and returns apart what belongs to the system prompt. The provider wants a message of the
// user first, the two roles in turn, and no empty texts.
func conversation(list []llm.Message) (messages []types.Message, system string, err error) {
	var systems []string
	documents := 0
	for _, m := range list {
		role := types.ConversationRoleUser
		switch m.Role {
		case llm.System:
			systems = append(systems, m.Text())
			continue
		case llm.User, llm.Tool:
		case llm.Assistant:
			role = types.ConversationRoleAssistant
		default:
			return nil, "", fault.Newf(fault.Invalid, "a message has the unknown role %q", m.Role)
		}
		content, err := said(m, &documents)
		if err != nil {
			return nil, "", err
		}
		if last := len(messages) - 1; last >= 0 && messages[last].Role == role {
			messages[last].Content = append(messages[last].Content, content...)
			continue
		}
		messages = append(messages, types.Message{Role: role, Content: content})
	}
	if len(messages) == 0 || messages[0].Role != types.ConversationRoleUser {
		first := types.Message{Role: types.ConversationRoleUser, Content: []types.ContentBlock{words("continue")}}
		messages = append([]types.Message{first}, messages...)
	}
	return messages, strings.Join(systems, "\n"), nil
}

func words(s string) types.ContentBlock { return &types.ContentBlockMemberText{Value: s} }

// said is the content of a message. documents counts those of the conversation: each needs a name of its own.
func said(m llm.Message, documents *int) ([]types.ContentBlock, error) {
	var blocks []types.ContentBlock
	spoken, alone := false, false // a document needs a text beside it
	for _, part := range m.Content {
		switch p := part.(type) {
		case llm.Text:
			if strings.TrimSpace(p.Text) != "" {
				blocks, spoken = append(blocks, words(p.Text)), true
			}
		case llm.Thinking:
			if b := thought(p); b != nil {
				blocks = append(blocks, b)
			}
		case llm.ToolCall:
			input, err := value.Parse(p.Arguments)
			if err != nil || !input.IsObject() {
				input = value.Obj()
			}
			blocks = append(blocks, &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{ToolUseId: &p.ID, Name: &p.Name, Input: exactly(input)}})
		case llm.ToolResult:
			blocks = append(blocks, result(p))
		case llm.File:
			b, isDocument, err := file(p, documents)
			if err != nil {
				return nil, err
			}
			blocks, alone = append(blocks, b), alone || isDocument
		}
	}
	if len(blocks) == 0 || alone && !spoken {
		blocks = append(blocks, words("...")) // the provider refuses nothing at all
	}
	return blocks, nil
}

// thought writes a thought back, nil for one of another provider.
func thought(t llm.Thinking) types.ContentBlock {
	switch {
	case t.Sealed != nil:
		return &types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberRedactedContent{Value: t.Sealed}}
	case t.Signature != "":
		return &types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberReasoningText{Value: types.ReasoningTextBlock{Text: &t.Text, Signature: &t.Signature}}}
	}
	return nil
}

func result(r llm.ToolResult) types.ContentBlock {
	body := r.Text
	if strings.TrimSpace(body) == "" {
		body = "..."
	}
	b := types.ToolResultBlock{ToolUseId: &r.CallID, Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: body}}}
	if r.Failed {
		b.Status = types.ToolResultStatusError
	}
	return &types.ContentBlockMemberToolResult{Value: b}
}

// file writes something to look at.
func file(f llm.File, documents *int) (b types.ContentBlock, isDocument bool, err error) {
	if format, ok := strings.CutPrefix(f.MIME, "image/"); ok {
		switch format {
		case "png", "jpeg", "gif", "webp":
			return &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: types.ImageFormat(format), Source: &types.ImageSourceMemberBytes{Value: f.Data}}}, false, nil
		}
	}
	format, ok := formatOf(f.MIME)
	if !ok {
		err := fault.Newf(fault.Invalid, "files of the type %s cannot be sent to this provider", f.MIME)
		return nil, false, fault.Hint(err, "images are png, jpeg, gif or webp, documents pdf, csv, doc, docx, xls, xlsx, html, txt or md")
	}
	*documents++
	name := documentName(f.Name, *documents)
	return &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: &name, Format: format, Source: &types.DocumentSourceMemberBytes{Value: f.Data}}}, true, nil
}

func formatOf(mime string) (types.DocumentFormat, bool) {
	switch kind, _, _ := strings.Cut(mime, ";"); kind {
	case "application/pdf":
		return types.DocumentFormatPdf, true
	case "text/csv":
		return types.DocumentFormatCsv, true
	case "application/msword":
		return types.DocumentFormatDoc, true
	case "application/vnd.openxmlformats-officedocument.wordprocessingml.document":
		return types.DocumentFormatDocx, true
	case "application/vnd.ms-excel":
		return types.DocumentFormatXls, true
	case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
		return types.DocumentFormatXlsx, true
	case "text/html":
		return types.DocumentFormatHtml, true
	case "text/plain":
		return types.DocumentFormatTxt, true
	case "text/markdown":
		return types.DocumentFormatMd, true
	}
	return "", false
}

// documentName is the name of a document as the provider takes it: letters, digits and few signs, no two the same. The
// name is a part of the prompt, so a stranger's file name gets no more room in it than that.
func documentName(name string, n int) string {
	const most = 100
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '(', r == ')':
			return r
		}
		return ' '
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	if len(name) > most {
		name = name[:most]
	}
	number := value.FormatNumber(float64(n))
	if name == "" {
		return "document " + number
	}
	return strings.TrimSpace(name) + " (" + number + ")"
}
