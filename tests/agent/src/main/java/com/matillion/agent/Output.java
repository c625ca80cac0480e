package com.matillion.agent;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * Standard output, where each record is seen as it is written: logback writes a
 * whole event at once, in the thread that logged it.  Counts lines, records, and
 * those with a word as an analyzer finds it (letters on neither side; a dot,
 * colon or apostrophe between letters does not end a word).
 */
final class Output extends OutputStream {
    /** The error type of what this thread is logging; null: none. */
    static final ThreadLocal<String> ERROR_TYPE = new ThreadLocal<>();

    private static final Pattern COLOUR = Pattern.compile("\u001b\\[[0-9;]*m");
    private static final Pattern ERROR = word("error");
    private static final Pattern COMPLETED = word("task_completed");

    private final OutputStream to;
    private final Truth truth;

    Output(OutputStream to, Truth truth) {
        this.to = to;
        this.truth = truth;
    }

    PrintStream stream() {
        return new PrintStream(this, true, StandardCharsets.UTF_8);
    }

    private static Pattern word(String word) {
        return Pattern.compile("(?i)(?<!\\w)(?<!\\w[.:'])" + word + "(?!\\w)(?![.:']\\w)");
    }

    @Override
    public void write(int b) {
        throw new IllegalStateException("logback and the banner write whole texts");
    }

    @Override
    public void write(byte[] bytes, int from, int length) {
        String text = new String(bytes, from, length, StandardCharsets.UTF_8);
        try {
            to.write(bytes, from, length);
            to.flush();
        } catch (java.io.IOException e) {
            Runtime.getRuntime().halt(1);
        }
        if (text.endsWith("\n")) {
            count(COLOUR.matcher(text).replaceAll(""));
        }
    }

    private void count(String text) {
        String type = ERROR_TYPE.get();
        long lines = text.chars().filter(c -> c == '\n').count();
        boolean banner = Thread.currentThread().getName().equals("main") && truth.get("records") == truth.get("banner");
        truth.add("lines", lines);
        if (banner && !text.matches("(?s)[0-9{].*")) { // each of its lines is a record
            truth.add("banner", lines);
            truth.add("records", lines);
            return;
        }
        boolean blank = text.endsWith("\n\n");
        truth.add("records", blank ? 2 : 1);
        truth.add("blanks", blank ? 1 : 0);
        if (ERROR.matcher(text).find()) {
            truth.add("error_word_records", 1);
            if (type != null) {
                truth.add("error_word", type);
            }
        }
        if (COMPLETED.matcher(text).find()) {
            truth.add("completed_word_records", 1);
        }
    }
}
