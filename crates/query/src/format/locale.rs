//! What a language and a region change in a formatted value: names, separators, currency.

use super::Format;
use facetta_model::calendar;
use std::sync::{Arc, OnceLock};

/// The names of days and months of a language.
#[derive(Debug)]
pub struct Language {
    /// January to December.
    pub months_long: [&'static str; 12],
    /// Abbreviated, January to December.
    pub months_short: [&'static str; 12],
    /// Sunday to Saturday.
    pub days_long: [&'static str; 7],
    /// Abbreviated, Sunday to Saturday.
    pub days_short: [&'static str; 7],
}

/// A language as one region writes it.
#[derive(Debug)]
pub struct Locale {
    /// Its tag (BCP 47): `de-CH`.
    pub name: &'static str,
    /// Windows' number of it, as in the property LocaleIdentifier and the cell property LANGUAGE.
    pub lcid: u32,
    /// Names of days and months.
    pub language: &'static Language,
    /// What stands between the whole and the fraction.
    pub decimal: &'static str,
    /// What stands between groups of digits.
    pub thousands: &'static str,
    /// What `/` in a picture of a date stands for.
    pub date_separator: &'static str,
    /// What `:` in a picture of a time stands for.
    pub time_separator: &'static str,
    /// What the sign `¤` in a picture stands for.
    pub currency_symbol: &'static str,
    /// The picture behind the named format Currency, for numbers that are not negative.
    pub currency_picture: &'static str,
    currency: OnceLock<Arc<Format>>,
}

impl Locale {
    /// The locale of US English, which is the default.
    pub fn en_us() -> &'static Locale {
        &LOCALES[0]
    }

    /// The locale with a number of Windows (1033 is US English). Where the region is not known, the first one of its
    /// language.
    pub fn by_lcid(lcid: u32) -> Option<&'static Locale> {
        // The low ten bits are the language; the Spanish of 1034 and 3082 differ only in their order of letters.
        let language = |locale: &&Locale| locale.lcid & 0x3FF == lcid & 0x3FF;
        LOCALES.iter().find(|locale| locale.lcid == lcid).or_else(|| LOCALES.iter().find(language))
    }

    /// The locale with a tag such as `en-US`, `en_US` or `de`, in any case. Where the region is not known, the first
    /// one of its language.
    pub fn by_name(name: &str) -> Option<&'static Locale> {
        let same = |a: &str, b: &str| {
            a.len() == b.len()
                && a.bytes()
                    .zip(b.bytes())
                    .all(|(a, b)| a.eq_ignore_ascii_case(&b) || (matches!(a, b'-' | b'_') && matches!(b, b'-' | b'_')))
        };
        let language = name.split(['-', '_']).next().unwrap_or(name);
        LOCALES.iter().find(|locale| same(locale.name, name)).or_else(|| {
            LOCALES.iter().find(|locale| locale.name.split('-').next().is_some_and(|tag| same(tag, language)))
        })
    }

    /// Every locale.
    pub fn all() -> &'static [Locale] {
        &LOCALES
    }

    /// The format behind the named format Currency: negative amounts stand in parentheses.
    pub(super) fn currency(&self) -> &Format {
        let compile = || Format::parse(&format!("{0};({0})", self.currency_picture));
        self.currency.get_or_init(compile)
    }

    /// A locale with its own marks, as the row of a table.
    pub(super) const fn new(
        name: &'static str,
        lcid: u32,
        language: &'static Language,
        marks: [&'static str; 4],
        currency: [&'static str; 2],
    ) -> Locale {
        let [decimal, thousands, date_separator, time_separator] = marks;
        let [currency_symbol, currency_picture] = currency;
        Locale {
            name,
            lcid,
            language,
            decimal,
            thousands,
            date_separator,
            time_separator,
            currency_symbol,
            currency_picture,
            currency: OnceLock::new(),
        }
    }
}

/// Tag, number, language; marks of decimals, thousands, dates and times; currency. The first of a language stands for
/// its regions that are not listed.
static LOCALES: [Locale; 28] = [
    Locale::new("en-US", 1033, &EN, [".", ",", "/", ":"], ["$", "$#,##0.00"]),
    Locale::new("en-GB", 2057, &EN, [".", ",", "/", ":"], ["£", "£#,##0.00"]),
    Locale::new("en-AU", 3081, &EN, [".", ",", "/", ":"], ["$", "$#,##0.00"]),
    Locale::new("en-CA", 4105, &EN, [".", ",", "/", ":"], ["$", "$#,##0.00"]),
    Locale::new("en-IN", 16393, &EN, [".", ",", "/", ":"], ["₹", "₹#,##,##0.00"]),
    Locale::new("de-DE", 1031, &DE, [",", ".", ".", ":"], ["€", "#,##0.00 €"]),
    Locale::new("de-AT", 3079, &DE, [",", "\u{a0}", ".", ":"], ["€", "€ #,##0.00"]),
    Locale::new("de-CH", 2055, &DE, [".", "’", ".", ":"], ["CHF", "\"CHF\" #,##0.00"]),
    Locale::new("fr-FR", 1036, &FR, [",", "\u{a0}", "/", ":"], ["€", "#,##0.00 €"]),
    Locale::new("fr-CA", 3084, &FR, [",", "\u{a0}", "-", ":"], ["$", "#,##0.00 $"]),
    Locale::new("fr-CH", 4108, &FR, [".", "’", ".", ":"], ["CHF", "\"CHF\" #,##0.00"]),
    Locale::new("es-ES", 3082, &ES, [",", ".", "/", ":"], ["€", "#,##0.00 €"]),
    Locale::new("es-MX", 2058, &ES, [".", ",", "/", ":"], ["$", "$#,##0.00"]),
    Locale::new("it-IT", 1040, &IT, [",", ".", "/", ":"], ["€", "#,##0.00 €"]),
    Locale::new("pt-BR", 1046, &PT, [",", ".", "/", ":"], ["R$", "R$ #,##0.00"]),
    Locale::new("pt-PT", 2070, &PT, [",", "\u{a0}", "/", ":"], ["€", "#,##0.00 €"]),
    Locale::new("nl-NL", 1043, &NL, [",", ".", "-", ":"], ["€", "€ #,##0.00"]),
    Locale::new("sv-SE", 1053, &SV, [",", "\u{a0}", "-", ":"], ["kr", "#,##0.00 kr"]),
    Locale::new("da-DK", 1030, &DA, [",", ".", "-", "."], ["kr.", "#,##0.00 \"kr.\""]),
    Locale::new("nb-NO", 1044, &NB, [",", "\u{a0}", ".", ":"], ["kr", "\"kr\" #,##0.00"]),
    Locale::new("fi-FI", 1035, &FI, [",", "\u{a0}", ".", "."], ["€", "#,##0.00 €"]),
    Locale::new("pl-PL", 1045, &PL, [",", "\u{a0}", ".", ":"], ["zł", "#,##0.00 zł"]),
    Locale::new("cs-CZ", 1029, &CS, [",", "\u{a0}", ".", ":"], ["Kč", "#,##0.00 Kč"]),
    Locale::new("ru-RU", 1049, &RU, [",", "\u{a0}", ".", ":"], ["₽", "#,##0.00 ₽"]),
    Locale::new("tr-TR", 1055, &TR, [",", ".", ".", ":"], ["₺", "₺#,##0.00"]),
    Locale::new("ja-JP", 1041, &JA, [".", ",", "/", ":"], ["¥", "¥#,##0"]),
    Locale::new("zh-CN", 2052, &ZH, [".", ",", "/", ":"], ["¥", "¥#,##0.00"]),
    Locale::new("ko-KR", 1042, &KO, [".", ",", "-", ":"], ["₩", "₩#,##0"]),
];

static EN: Language = Language {
    months_long: calendar::MONTHS,
    months_short: ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    days_long: ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
    days_short: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
};

static DE: Language = Language {
    months_long: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    months_short: ["Jan", "Feb", "Mrz", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"],
    days_long: ["Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"],
    days_short: ["So", "Mo", "Di", "Mi", "Do", "Fr", "Sa"],
};

static FR: Language = Language {
    months_long: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    months_short: ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
    days_long: ["dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"],
    days_short: ["dim.", "lun.", "mar.", "mer.", "jeu.", "ven.", "sam."],
};

static ES: Language = Language {
    months_long: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    months_short: ["ene.", "feb.", "mar.", "abr.", "may.", "jun.", "jul.", "ago.", "sep.", "oct.", "nov.", "dic."],
    days_long: ["domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"],
    days_short: ["do.", "lu.", "ma.", "mi.", "ju.", "vi.", "sá."],
};

static IT: Language = Language {
    months_long: [
        "gennaio",
        "febbraio",
        "marzo",
        "aprile",
        "maggio",
        "giugno",
        "luglio",
        "agosto",
        "settembre",
        "ottobre",
        "novembre",
        "dicembre",
    ],
    months_short: ["gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic"],
    days_long: ["domenica", "lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato"],
    days_short: ["dom", "lun", "mar", "mer", "gio", "ven", "sab"],
};

static PT: Language = Language {
    months_long: [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ],
    months_short: ["jan", "fev", "mar", "abr", "mai", "jun", "jul", "ago", "set", "out", "nov", "dez"],
    days_long: ["domingo", "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado"],
    days_short: ["dom", "seg", "ter", "qua", "qui", "sex", "sáb"],
};

static NL: Language = Language {
    months_long: [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
    months_short: ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"],
    days_long: ["zondag", "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag"],
    days_short: ["zo", "ma", "di", "wo", "do", "vr", "za"],
};

static SV: Language = Language {
    months_long: [
        "januari",
        "februari",
        "mars",
        "april",
        "maj",
        "juni",
        "juli",
        "augusti",
        "september",
        "oktober",
        "november",
        "december",
    ],
    months_short: ["jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"],
    days_long: ["söndag", "måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag"],
    days_short: ["sö", "må", "ti", "on", "to", "fr", "lö"],
};

static DA: Language = Language {
    months_long: [
        "januar",
        "februar",
        "marts",
        "april",
        "maj",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "december",
    ],
    months_short: ["jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"],
    days_long: ["søndag", "mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag"],
    days_short: ["sø", "ma", "ti", "on", "to", "fr", "lø"],
};

static NB: Language = Language {
    months_long: [
        "januar",
        "februar",
        "mars",
        "april",
        "mai",
        "juni",
        "juli",
        "august",
        "september",
        "oktober",
        "november",
        "desember",
    ],
    months_short: ["jan", "feb", "mar", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "des"],
    days_long: ["søndag", "mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag"],
    days_short: ["sø", "ma", "ti", "on", "to", "fr", "lø"],
};

static FI: Language = Language {
    months_long: [
        "tammikuu",
        "helmikuu",
        "maaliskuu",
        "huhtikuu",
        "toukokuu",
        "kesäkuu",
        "heinäkuu",
        "elokuu",
        "syyskuu",
        "lokakuu",
        "marraskuu",
        "joulukuu",
    ],
    months_short: [
        "tammi", "helmi", "maalis", "huhti", "touko", "kesä", "heinä", "elo", "syys", "loka", "marras", "joulu",
    ],
    days_long: ["sunnuntai", "maanantai", "tiistai", "keskiviikko", "torstai", "perjantai", "lauantai"],
    days_short: ["su", "ma", "ti", "ke", "to", "pe", "la"],
};

static PL: Language = Language {
    months_long: [
        "styczeń",
        "luty",
        "marzec",
        "kwiecień",
        "maj",
        "czerwiec",
        "lipiec",
        "sierpień",
        "wrzesień",
        "październik",
        "listopad",
        "grudzień",
    ],
    months_short: ["sty", "lut", "mar", "kwi", "maj", "cze", "lip", "sie", "wrz", "paź", "lis", "gru"],
    days_long: ["niedziela", "poniedziałek", "wtorek", "środa", "czwartek", "piątek", "sobota"],
    days_short: ["niedz.", "pon.", "wt.", "śr.", "czw.", "pt.", "sob."],
};

static CS: Language = Language {
    months_long: [
        "leden",
        "únor",
        "březen",
        "duben",
        "květen",
        "červen",
        "červenec",
        "srpen",
        "září",
        "říjen",
        "listopad",
        "prosinec",
    ],
    months_short: ["led", "úno", "bře", "dub", "kvě", "čvn", "čvc", "srp", "zář", "říj", "lis", "pro"],
    days_long: ["neděle", "pondělí", "úterý", "středa", "čtvrtek", "pátek", "sobota"],
    days_short: ["ne", "po", "út", "st", "čt", "pá", "so"],
};

static RU: Language = Language {
    months_long: [
        "Январь",
        "Февраль",
        "Март",
        "Апрель",
        "Май",
        "Июнь",
        "Июль",
        "Август",
        "Сентябрь",
        "Октябрь",
        "Ноябрь",
        "Декабрь",
    ],
    months_short: ["янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
    days_long: ["воскресенье", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота"],
    days_short: ["Вс", "Пн", "Вт", "Ср", "Чт", "Пт", "Сб"],
};

static TR: Language = Language {
    months_long: [
        "Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül", "Ekim", "Kasım", "Aralık",
    ],
    months_short: ["Oca", "Şub", "Mar", "Nis", "May", "Haz", "Tem", "Ağu", "Eyl", "Eki", "Kas", "Ara"],
    days_long: ["Pazar", "Pazartesi", "Salı", "Çarşamba", "Perşembe", "Cuma", "Cumartesi"],
    days_short: ["Paz", "Pzt", "Sal", "Çar", "Per", "Cum", "Cmt"],
};

static JA: Language = Language {
    months_long: ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"],
    months_short: ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"],
    days_long: ["日曜日", "月曜日", "火曜日", "水曜日", "木曜日", "金曜日", "土曜日"],
    days_short: ["日", "月", "火", "水", "木", "金", "土"],
};

static ZH: Language = Language {
    months_long: ["一月", "二月", "三月", "四月", "五月", "六月", "七月", "八月", "九月", "十月", "十一月", "十二月"],
    months_short: ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"],
    days_long: ["星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"],
    days_short: ["周日", "周一", "周二", "周三", "周四", "周五", "周六"],
};

static KO: Language = Language {
    months_long: ["1월", "2월", "3월", "4월", "5월", "6월", "7월", "8월", "9월", "10월", "11월", "12월"],
    months_short: ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"],
    days_long: ["일요일", "월요일", "화요일", "수요일", "목요일", "금요일", "토요일"],
    days_short: ["일", "월", "화", "수", "목", "금", "토"],
};
